"""Products come and change through actions; stock moves only within what is there."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from audit.events import Event
from marketplace.demo.catalogue import DEMO_PRODUCTS, add_demo_products
from orders.catalogue.actions import add_product, change_product, release_stock, reserve_stock, ship_stock
from orders.catalogue.errors import OutOfStock
from orders.catalogue.models import Product, StockItem
from orders.pictures import KINDS
from tests.orders.factories import SETUP, UNWRITABLE, entries, make_product, stock_of

pytestmark = pytest.mark.django_db


def unsaved(**values):
    return Product(**{"slug": "thing", "title": "Thing", "description": "A thing.", "kind": "mug", "price": 100, **values})


def test_add_product_writes_stock_and_one_event():
    product = add_product(by=SETUP, product=unsaved(), on_hand=4)

    assert stock_of(product) == (4, 0)
    assert entries(Event.PRODUCT_ADDED, object_id=product.pk) == 1


@pytest.mark.parametrize("wrong", [{"price": 0}, {"slug": "no spaces"}, {"kind": "<svg>"}, {"title": ""}, {"tax_class": "none"}])
def test_add_product_refuses_what_is_not_valid(wrong):
    with pytest.raises(ValidationError):
        add_product(by=SETUP, product=unsaved(**wrong), on_hand=1)


def test_add_product_changes_nothing_if_the_event_cannot_be_written():
    with pytest.raises(Exception, match="short token"):
        add_product(by=UNWRITABLE, product=unsaved(), on_hand=1)

    assert not Product.objects.exists()


def test_change_product_counts_the_stock():
    product = make_product(on_hand=10)
    product.price = 150

    change_product(by=SETUP, product=product, on_hand=3)

    assert stock_of(product) == (3, 0)
    assert Product.objects.get().price == 150
    assert entries(Event.PRODUCT_CHANGED, object_id=product.pk) == 1


def test_change_product_refuses_a_count_below_what_is_reserved():
    product = make_product(on_hand=10)
    reserve_stock({product.pk: 4})

    with pytest.raises(OutOfStock):
        change_product(by=SETUP, product=product, on_hand=3)


def test_change_product_changes_nothing_if_the_event_cannot_be_written():
    product = make_product(on_hand=10)
    product.price = 150

    with pytest.raises(Exception, match="short token"):
        change_product(by=UNWRITABLE, product=product, on_hand=3)

    assert (Product.objects.get().price, stock_of(product)) == (2000, (10, 0))


def test_stock_is_reserved_released_and_shipped():
    product = make_product(on_hand=10)

    reserve_stock({product.pk: 4})
    release_stock([(product.pk, 1)])
    ship_stock([(product.pk, 3)])

    assert stock_of(product) == (7, 0)


@pytest.mark.parametrize("change", [{"reserved": 11}, {"on_hand": -1}, {"reserved": -1}])
def test_database_refuses_stock_that_cannot_be(change):
    make_product(on_hand=10)

    with pytest.raises(IntegrityError):
        StockItem.objects.update(**change)


def test_demo_products_are_twelve_that_can_be_drawn_and_are_added_once():
    assert add_demo_products(by=SETUP) == len(DEMO_PRODUCTS) == 12
    assert add_demo_products(by=SETUP) == 0

    assert {product.kind for product in DEMO_PRODUCTS} == set(KINDS)
