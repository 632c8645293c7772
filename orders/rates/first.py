"""The rates that a new shop opens with, put in place once by ``setup_site``; from then on staff keep them.

Commonly known rates, to be confirmed by the operator's tax adviser before real sales.
"""

from __future__ import annotations

from datetime import date

from orders.catalogue.models import TaxClass
from orders.rates.actions import set_first_rates
from orders.rates.models import ShippingRate, TaxRate
from privacy.policy.roles import Actor

SETUP = Actor.job("setup_site")
BEGINNING = date(2020, 1, 1)

VAT = {  # basis points: standard, books
    "AT": (2000, 1000),
    "BE": (2100, 600),
    "DE": (1900, 700),
    "ES": (2100, 400),
    "FR": (2000, 550),
    "GR": (2400, 600),
    "IE": (2300, 0),
    "IT": (2200, 400),
    "NL": (2100, 900),
    "PL": (2300, 500),
    "SE": (2500, 600),
}
HOME, NEAR, FAR = 490, 990, 1990
HOME_COUNTRY, HOME_FREE_FROM = "DE", 10_000
FAR_COUNTRIES = ("AE", "BR", "CN", "EG", "GB", "IN", "JP", "US")


def put_first_rates() -> str:
    """Put in place the first rates where there are none of their kind."""
    if not TaxRate.objects.exists():
        set_first_rates(by=SETUP, rates=_tax_rates())
    if not ShippingRate.objects.exists():
        set_first_rates(by=SETUP, rates=_shipping_rates())
    return "Tax and shipping rates are in place."


def _tax_rates() -> list[TaxRate]:
    return [
        TaxRate(country=country, tax_class=tax_class, basis_points=basis_points, valid_from=BEGINNING)
        for country, (standard, books) in VAT.items()
        for tax_class, basis_points in ((TaxClass.STANDARD, standard), (TaxClass.BOOKS, books))
    ]


def _shipping_rates() -> list[ShippingRate]:
    prices = dict.fromkeys(VAT, NEAR) | dict.fromkeys(FAR_COUNTRIES, FAR) | {HOME_COUNTRY: HOME}
    return [
        ShippingRate(
            country=country,
            price=price,
            free_from=HOME_FREE_FROM if country == HOME_COUNTRY else None,
            valid_from=BEGINNING,
        )
        for country, price in prices.items()
    ]
