"""What delivery costs, in cents with tax, by country."""

from orders.checkout.vat import EXPORT_COUNTRIES, RATES

HOME = 490
UNION = 990
WORLD = 1990
FREE_FROM = 10_000

PRICES: dict[str, int] = dict.fromkeys(RATES, UNION) | dict.fromkeys(EXPORT_COUNTRIES, WORLD)
PRICES["DE"] = HOME

DELIVERY_COUNTRIES = tuple(sorted(PRICES))


def shipping_price(country: str, goods_total: int) -> int:
    """Cents for one order; nothing at home from ``FREE_FROM`` on. ``KeyError`` where we do not deliver."""
    price = PRICES[country]
    return 0 if country == "DE" and goods_total >= FREE_FROM else price
