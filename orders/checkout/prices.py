"""What a basket costs when it is delivered to a country. Computed once at placement and frozen in the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from orders.catalogue.models import Product
from orders.checkout.shipping import shipping_price
from orders.checkout.vat import vat_rates
from orders.money import SHOP_CURRENCY, contained_tax, split_by_weight


@dataclass(frozen=True)
class QuoteLine:
    """``tax`` is what the line and its share of the shipping contain."""

    product: Product
    quantity: int
    total: int
    tax_rate: int
    shipping_share: int
    tax: int


@dataclass(frozen=True)
class Quote:
    """Sums in cents: ``total`` is goods plus shipping and contains ``tax_total``."""

    country: str
    currency: str
    lines: tuple[QuoteLine, ...]
    goods_total: int
    shipping_total: int
    tax_total: int
    total: int


def quote(items: Sequence[tuple[Product, int]], country: str) -> Quote:
    """Shipping is split to the lines by value, tax is rounded once a rate and then split to its lines.

    By today's rates, in two queries. ``KeyError`` where we do not deliver.
    """
    totals = [product.price * quantity for product, quantity in items]
    goods_total = sum(totals)
    shipping = shipping_price(country, goods_total)
    shares = split_by_weight(shipping, totals)
    in_force = vat_rates(country)
    rates = [in_force[product.tax_class] for product, _ in items]
    taxes = _taxes([total + share for total, share in zip(totals, shares, strict=True)], rates)
    lines = tuple(
        QuoteLine(product, quantity, total, rate, share, tax)
        for (product, quantity), total, rate, share, tax in zip(items, totals, rates, shares, taxes, strict=True)
    )
    return Quote(country, SHOP_CURRENCY, lines, goods_total, shipping, sum(taxes), goods_total + shipping)


def _taxes(amounts: Sequence[int], rates: Sequence[int]) -> list[int]:
    by_rate: dict[int, list[int]] = defaultdict(list)
    for i, rate in enumerate(rates):
        by_rate[rate].append(i)
    taxes = [0] * len(amounts)
    for rate, members in by_rate.items():
        gross = [amounts[i] for i in members]
        for i, tax in zip(members, split_by_weight(contained_tax(sum(gross), rate), gross), strict=True):
            taxes[i] = tax
    return taxes
