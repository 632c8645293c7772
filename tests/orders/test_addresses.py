import pytest

from orders.checkout.addresses import COUNTRY_NAMES, address_fields, invalid_address_fields, region_label
from orders.rates.first import FAR_COUNTRIES, VAT


def names(country, required=None):
    return [field.name for field in address_fields(country) if required is None or field.required == required]


@pytest.mark.promise("COLLECT-6")
@pytest.mark.parametrize(
    ("country", "required", "optional"),
    [
        ("DE", ["addressee", "line1", "postcode", "locality"], ["line2"]),
        ("US", ["addressee", "line1", "locality", "region", "postcode"], ["line2"]),
        ("JP", ["addressee", "postcode", "region", "line1"], ["line2"]),
        ("AE", ["addressee", "line1", "region"], ["line2"]),
        ("GB", ["addressee", "line1", "locality", "postcode"], ["line2"]),
        ("IE", ["addressee", "line1", "locality"], ["line2", "district", "region", "postcode"]),
    ],
)
def test_address_fields_are_those_of_the_country(country, required, optional):
    assert names(country, required=True) == required
    assert names(country, required=False) == optional


@pytest.mark.parametrize("country", sorted({*VAT, *FAR_COUNTRIES}))
def test_address_fields_each_have_a_label_and_a_reason(country):
    assert country in COUNTRY_NAMES
    assert all(str(field.label) and str(field.reason) for field in address_fields(country))
    assert len(names(country)) == len(set(names(country)))


def test_address_fields_use_the_words_of_the_country():
    labels = {country: {f.name: str(f.label) for f in address_fields(country)} for country in ("US", "GB", "IE", "AE")}

    assert labels["US"]["postcode"] == "ZIP code"
    assert labels["GB"]["locality"] == "Post town"
    assert labels["IE"]["postcode"] == "Eircode"
    assert labels["AE"]["region"] == "Emirate"


def test_address_fields_refuse_a_country_without_delivery():
    with pytest.raises(KeyError):
        address_fields("CH")


def test_region_choices_are_listed_once():
    regions = next(field for field in address_fields("JP") if field.name == "region").choices

    assert len(regions) == 47
    assert dict(regions)["東京都"] == "Tokyo"
    assert region_label("US", "CA") == "California"


@pytest.mark.parametrize(
    ("country", "values"),
    [
        ("DE", {"line1": "Street 1", "locality": "Town", "postcode": "1011"}),
        ("US", {"line1": "Street 1", "locality": "Town", "region": "CA", "postcode": "ABC"}),
        ("GB", {"line1": "Street 1", "locality": "Town", "postcode": "12345"}),
        ("IE", {"line1": "Street 1", "locality": "Town", "postcode": "123"}),
        ("JP", {"line1": "Street 1", "region": "東京都", "postcode": "12"}),
    ],
)
def test_invalid_address_fields_names_a_wrong_postcode(country, values):
    assert invalid_address_fields(country, values) == {"postcode": "invalid"}


@pytest.mark.parametrize(
    ("country", "values"),
    [
        ("DE", {"line1": "Street 1", "locality": "Town", "postcode": "10115"}),
        ("GB", {"line1": "Street 1", "locality": "Town", "postcode": "ec1y 8sy"}),
        ("IE", {"line1": "Street 1", "locality": "Town"}),
        ("AE", {"line1": "Street 1", "region": "دبي"}),
    ],
)
def test_invalid_address_fields_accepts_what_the_post_takes(country, values):
    assert invalid_address_fields(country, values) == {}


def test_invalid_address_fields_names_a_region_that_does_not_exist():
    values = {"line1": "Street 1", "locality": "Town", "region": "XX", "postcode": "95014"}

    assert "region" in invalid_address_fields("US", values)
