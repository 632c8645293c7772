from datetime import date, timedelta

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.catalogue.models import Product, TaxClass
from orders.checkout.prices import quote
from orders.checkout.shipping import delivery_countries, shipping_price
from orders.checkout.vat import vat_rates
from orders.rates.first import FAR_COUNTRIES, HOME_FREE_FROM, VAT
from orders.rates.models import ShippingRate, TaxRate
from tests.orders.factories import count_queries

pytestmark = pytest.mark.django_db

COUNTRIES = sorted({*VAT, *FAR_COUNTRIES})
PRODUCTS = st.builds(Product, title=st.just("Thing"), price=st.integers(1, 10**6), tax_class=st.sampled_from(TaxClass.values))
ITEMS = st.lists(st.tuples(PRODUCTS, st.integers(1, 20)), min_size=1, max_size=10)


@settings(deadline=None)
@given(ITEMS, st.sampled_from(COUNTRIES))
def test_quote_adds_up_to_the_cent(items, country):
    quoted = quote(items, country)

    assert quoted.goods_total == sum(product.price * quantity for product, quantity in items)
    assert quoted.total == quoted.goods_total + quoted.shipping_total
    assert quoted.total == sum(line.total + line.shipping_share for line in quoted.lines)
    assert quoted.tax_total == sum(line.tax for line in quoted.lines)


@settings(deadline=None)
@given(ITEMS)
def test_quote_for_an_export_contains_no_tax(items):
    assert quote(items, "JP").tax_total == 0


def test_quote_takes_the_rate_of_the_country_and_the_kind_of_goods():
    mug = Product(price=11900, tax_class=TaxClass.STANDARD)
    book = Product(price=10700, tax_class=TaxClass.BOOKS)

    quoted = quote([(mug, 1), (book, 1)], "DE")

    assert [line.tax for line in quoted.lines] == [1900, 700]
    assert quoted.shipping_total == 0


def test_quote_takes_two_queries_whatever_is_in_it():
    items = [(Product(price=100, tax_class=TaxClass.BOOKS), 1)] * 20

    assert count_queries(lambda: quote(items, "DE")) == 2
    assert count_queries(lambda: quote(items, "JP")) == 1


def test_rates_apply_from_their_day():
    today = timezone.localdate()
    TaxRate.objects.create(country="DE", tax_class=TaxClass.STANDARD, basis_points=1600, valid_from=today)
    TaxRate.objects.create(country="DE", tax_class=TaxClass.STANDARD, basis_points=2000, valid_from=today + timedelta(days=1))
    ShippingRate.objects.create(country="FR", price=100, valid_from=today)
    ShippingRate.objects.create(country="FR", price=900, valid_from=today + timedelta(days=1))

    assert vat_rates("DE") == {TaxClass.STANDARD: 1600, TaxClass.BOOKS: 700}
    assert shipping_price("FR", 1) == 100


def test_shipping_price_is_free_at_home_from_a_sum_on():
    assert shipping_price("DE", HOME_FREE_FROM - 1) > 0
    assert shipping_price("DE", HOME_FREE_FROM) == 0
    assert shipping_price("FR", HOME_FREE_FROM) > 0


def test_quote_refuses_a_country_without_delivery():
    with pytest.raises(KeyError):
        quote([(Product(price=1, tax_class=TaxClass.BOOKS), 1)], "CH")


def test_delivery_countries_are_those_with_a_price_and_their_taxes():
    assert delivery_countries() == COUNTRIES

    ShippingRate.objects.create(country="FR", price=None, valid_from=timezone.localdate())
    TaxRate.objects.filter(country="IT", tax_class=TaxClass.BOOKS).delete()

    assert delivery_countries() == [country for country in COUNTRIES if country not in ("FR", "IT")]


def test_delivery_to_a_country_ends_on_its_day_and_not_before():
    ShippingRate.objects.create(country="JP", price=None, valid_from=date.max)

    assert "JP" in delivery_countries()
