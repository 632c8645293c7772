import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.catalogue.models import Product, TaxClass
from orders.checkout.prices import quote
from orders.checkout.shipping import DELIVERY_COUNTRIES, FREE_FROM, shipping_price
from orders.checkout.vat import vat_rate

PRODUCTS = st.builds(Product, title=st.just("Thing"), price=st.integers(1, 10**6), tax_class=st.sampled_from(TaxClass.values))
ITEMS = st.lists(st.tuples(PRODUCTS, st.integers(1, 20)), min_size=1, max_size=10)


@given(ITEMS, st.sampled_from(DELIVERY_COUNTRIES))
def test_quote_adds_up_to_the_cent(items, country):
    quoted = quote(items, country)

    assert quoted.goods_total == sum(product.price * quantity for product, quantity in items)
    assert quoted.total == quoted.goods_total + quoted.shipping_total
    assert quoted.total == sum(line.total + line.shipping_share for line in quoted.lines)
    assert quoted.tax_total == sum(line.tax for line in quoted.lines)


@given(ITEMS)
def test_quote_for_an_export_contains_no_tax(items):
    assert quote(items, "JP").tax_total == 0


def test_quote_takes_the_rate_of_the_country_and_the_kind_of_goods():
    mug = Product(price=11900, tax_class=TaxClass.STANDARD)
    book = Product(price=10700, tax_class=TaxClass.BOOKS)

    quoted = quote([(mug, 1), (book, 1)], "DE")

    assert [line.tax for line in quoted.lines] == [1900, 700]
    assert quoted.shipping_total == 0


def test_shipping_price_is_free_at_home_from_a_sum_on():
    assert shipping_price("DE", FREE_FROM - 1) > 0
    assert shipping_price("DE", FREE_FROM) == 0
    assert shipping_price("FR", FREE_FROM) > 0


def test_shipping_price_and_vat_rate_refuse_other_countries():
    with pytest.raises(KeyError):
        shipping_price("BR", 100)
    with pytest.raises(KeyError):
        vat_rate("BR", TaxClass.STANDARD)
