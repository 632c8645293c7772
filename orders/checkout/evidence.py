"""Live evidence that the address forms give (COLLECT-6)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from orders.checkout.addresses import ADDRESS_FIELDS, COUNTRY_NAMES, address_fields
from privacy.policy.promises import Evidence, register_evidence


def register() -> None:
    register_evidence("COLLECT-6", fields_asked_by_country)


def fields_asked_by_country() -> Evidence:
    """No country's form asks for more than the fields that an address can have."""
    asked = [[field.name for field in address_fields(country)] for country in COUNTRY_NAMES]
    numbers = {"countries": len(asked), "fewest": min(map(len, asked)), "most": max(map(len, asked)), "all": len(ADDRESS_FIELDS)}
    text = _("The forms of %(countries)d countries ask for %(fewest)d to %(most)d of %(all)d possible lines of an address.") % numbers
    return Evidence(all(set(names) <= set(ADDRESS_FIELDS) for names in asked), text)
