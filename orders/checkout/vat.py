"""VAT rates by country of delivery, in basis points (1900 = 19 %).

Commonly known rates, to be confirmed by the operator's tax adviser before real sales. The country of delivery
decides for sales to consumers (Directive 2006/112/EC, Art. 33); deliveries outside the Union are exports without
VAT (Art. 146). A new rate is a new number here; orders keep the rate they were placed with.
"""

from orders.catalogue.models import TaxClass

RATES: dict[str, dict[str, int]] = {
    "AT": {TaxClass.STANDARD: 2000, TaxClass.BOOKS: 1000},
    "BE": {TaxClass.STANDARD: 2100, TaxClass.BOOKS: 600},
    "DE": {TaxClass.STANDARD: 1900, TaxClass.BOOKS: 700},
    "ES": {TaxClass.STANDARD: 2100, TaxClass.BOOKS: 400},
    "FR": {TaxClass.STANDARD: 2000, TaxClass.BOOKS: 550},
    "IE": {TaxClass.STANDARD: 2300, TaxClass.BOOKS: 0},
    "IT": {TaxClass.STANDARD: 2200, TaxClass.BOOKS: 400},
    "NL": {TaxClass.STANDARD: 2100, TaxClass.BOOKS: 900},
    "PL": {TaxClass.STANDARD: 2300, TaxClass.BOOKS: 500},
    "SE": {TaxClass.STANDARD: 2500, TaxClass.BOOKS: 600},
}
EXPORT_COUNTRIES = frozenset({"AE", "GB", "JP", "US"})


def vat_rate(country: str, tax_class: str) -> int:
    """Basis points for one kind of goods delivered to ``country``; ``KeyError`` where we do not deliver."""
    if country in EXPORT_COUNTRIES:
        return 0
    return RATES[country][tax_class]


def is_export(country: str) -> bool:
    return country in EXPORT_COUNTRIES
