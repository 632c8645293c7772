"""The VAT in force by country of delivery, in basis points (1900 = 19 %).

The country of delivery decides for sales to consumers (Directive 2006/112/EC, Art. 33); deliveries outside the
Union are exports without VAT (Art. 146). Orders keep the rate they were placed with.
"""

from django.utils import timezone

from orders.catalogue.models import TaxClass
from orders.rates.models import TaxRate

UNION = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
        "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip


def vat_rates(country: str) -> dict[str, int]:
    """Basis points by tax class for what is delivered to ``country`` today; a class that has no rate is absent."""
    if is_export(country):
        return dict.fromkeys(TaxClass.values, 0)
    return taxed_countries([country]).get(country, {})


def taxed_countries(countries: list[str]) -> dict[str, dict[str, int]]:
    """Today's rates by tax class of those countries that have any, in one query."""
    today = TaxRate.objects.filter(country__in=countries, valid_from__lte=timezone.localdate())
    found: dict[str, dict[str, int]] = {}
    for rate in today.order_by("country", "tax_class", "-valid_from").distinct("country", "tax_class"):
        found.setdefault(rate.country, {})[rate.tax_class] = rate.basis_points
    return found


def is_export(country: str) -> bool:
    return country not in UNION
