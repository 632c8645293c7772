"""Where we deliver today and what it costs, in cents with tax."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from orders.catalogue.models import TaxClass
from orders.checkout.vat import is_export, taxed_countries
from orders.rates.models import ShippingRate


def delivery_countries() -> list[str]:
    """Countries with a price of delivery and, inside the Union, a tax rate for every class; two queries."""
    return sorted(shipping_rates())


def shipping_rates() -> dict[str, ShippingRate]:
    """Today's rate of every country that we deliver to; two queries."""
    rates = {rate.country: rate for rate in _in_force().order_by("country", "-valid_from").distinct("country") if rate.price is not None}
    taxed = taxed_countries([country for country in rates if not is_export(country)])
    return {country: rate for country, rate in rates.items() if is_export(country) or set(TaxClass.values) <= taxed.get(country, {}).keys()}


def shipping_price(country: str, goods_total: int) -> int:
    """Cents for one order of goods worth ``goods_total``. ``KeyError`` where we do not deliver."""
    rate = _in_force().filter(country=country).order_by("-valid_from").first()
    if rate is None or rate.price is None:
        raise KeyError(country)
    return 0 if rate.free_from is not None and goods_total >= rate.free_from else rate.price


def _in_force() -> QuerySet[ShippingRate]:
    return ShippingRate.objects.filter(valid_from__lte=timezone.localdate())
