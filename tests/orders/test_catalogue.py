"""Products come and change through actions; stock moves within what is there, each time with its reason."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import Sum
from django.utils import translation

from audit.events import Event
from marketplace.demo.catalogue import add_demo_products, demo_products
from orders.catalogue.actions import (
    add_category,
    add_product,
    change_category,
    change_product,
    count_stock,
    offer_product,
    receive_stock,
    release_stock,
    reserve_stock,
    ship_stock,
    take_product_off,
    write_off_stock,
)
from orders.catalogue.errors import ChangedMeanwhile, ReasonUnfit, StockMoved, StockPromised
from orders.catalogue.models import Product, ProductCategory, StockItem, StockMovement
from orders.pictures import KINDS
from privacy.policy.roles import Role
from tests.accounts.people import make_staff, staff_client
from tests.orders.factories import SETUP, UNWRITABLE, count_queries, entries, make_product, stock_of

pytestmark = pytest.mark.django_db

MOVES = {
    receive_stock: ({"quantity": 5, "reason": "delivery"}, (15, 4), Event.STOCK_RECEIVED),
    write_off_stock: ({"quantity": 5, "reason": "damaged"}, (5, 4), Event.STOCK_WRITTEN_OFF),
    count_stock: ({"counted": 7, "seen": 10, "reason": "stocktaking"}, (7, 4), Event.STOCK_COUNTED),
}
EVERY_MOVE = pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)


def unsaved(**values):
    return Product(**{"slug": "thing", "title": "Thing", "description": "A thing.", "kind": "mug", "price": 100, **values})


def category(**values):
    return ProductCategory(**{"slug": "things", "title": "Things", "kind": "mug", **values})


def promised(number=4):
    product = make_product(on_hand=10)
    reserve_stock({product.pk: number})
    return product


def moved(product) -> int:
    return product.movements.aggregate(sum=Sum("change"))["sum"] or 0


# Products


def test_add_product_writes_stock_and_one_event():
    product = add_product(by=SETUP, product=unsaved(), on_hand=4)

    assert stock_of(product) == (4, 0)
    assert moved(product) == 4
    assert entries(Event.PRODUCT_ADDED, object_id=product.pk) == 1


@pytest.mark.parametrize("wrong", [{"price": 0}, {"slug": "no spaces"}, {"kind": "<svg>"}, {"title": ""}, {"tax_class": "none"}])
def test_add_product_refuses_what_is_not_valid(wrong):
    with pytest.raises(ValidationError):
        add_product(by=SETUP, product=unsaved(**wrong), on_hand=1)


def test_add_product_changes_nothing_if_the_event_cannot_be_written():
    with pytest.raises(Exception, match="short token"):
        add_product(by=UNWRITABLE, product=unsaved(), on_hand=1)

    assert not Product.objects.exists()


def test_change_product_leaves_the_stock_alone():
    product = make_product(on_hand=10)
    product.price = 150

    change_product(by=SETUP, product=product)

    assert stock_of(product) == (10, 0)
    assert Product.objects.get().price == 150
    assert entries(Event.PRODUCT_CHANGED, object_id=product.pk) == 1


def test_change_product_overwrites_no_later_change():
    product = make_product()
    other = Product.objects.get()
    other.price = 150
    change_product(by=SETUP, product=other)
    product.title = "Later"

    with pytest.raises(ChangedMeanwhile):
        change_product(by=SETUP, product=product)

    assert Product.objects.get().price == 150


def test_change_product_changes_nothing_if_the_event_cannot_be_written():
    product = make_product()
    product.price = 150

    with pytest.raises(Exception, match="short token"):
        change_product(by=UNWRITABLE, product=product)

    assert Product.objects.get().price == 2000


@pytest.mark.parametrize(
    ("action", "before", "event"), [(take_product_off, True, Event.PRODUCT_TAKEN_OFF), (offer_product, False, Event.PRODUCT_OFFERED)]
)
def test_products_go_off_sale_and_come_back_once(action, before, event):
    product = make_product(is_active=before)

    action(by=SETUP, product=product)
    action(by=SETUP, product=product)

    assert Product.objects.get().is_active != before
    assert entries(event, object_id=product.pk) == 1


@pytest.mark.parametrize(("action", "before"), [(take_product_off, True), (offer_product, False)])
def test_products_stay_on_or_off_sale_if_the_event_cannot_be_written(action, before):
    product = make_product(is_active=before)

    with pytest.raises(Exception, match="short token"):
        action(by=UNWRITABLE, product=product)

    assert Product.objects.get().is_active == before


def test_categories_are_added_and_changed_with_one_event_each():
    added = add_category(by=SETUP, category=category())
    added.title = "Better things"
    change_category(by=SETUP, category=added)

    assert ProductCategory.objects.get().title == "Better things"
    assert entries(Event.PRODUCT_CATEGORY_ADDED) == entries(Event.PRODUCT_CATEGORY_CHANGED) == 1


def test_categories_stay_as_they_are_if_the_event_cannot_be_written():
    added = add_category(by=SETUP, category=category())
    added.title = "Better things"

    with pytest.raises(Exception, match="short token"):
        change_category(by=UNWRITABLE, category=added)
    with pytest.raises(Exception, match="short token"):
        add_category(by=UNWRITABLE, category=category(slug="more"))

    assert ProductCategory.objects.get().title == "Things"


@pytest.mark.parametrize(("language", "title"), [("de", "Ding"), ("de-at", "Ding"), ("ar", "Thing"), ("fr", "Thing"), (None, "Thing")])
def test_words_fall_back_to_english(language, title):
    product = unsaved(title_de="Ding")

    with translation.override(language or "en"):
        assert (product.name, product.title_in("de"), product.title_in("xx")) == (title, "Ding", "Thing")


# Stock


@EVERY_MOVE
def test_stock_moves_with_its_reason_and_one_event(move):
    product = promised()
    values, after, event = MOVES[move]

    move(by=SETUP, product=product, **values)

    assert stock_of(product) == after
    assert moved(product) == after[0]
    assert product.movements.first().reason == values["reason"]
    assert entries(event, object_id=product.pk, outcome=values["reason"]) == 1


@EVERY_MOVE
def test_stock_stays_if_the_event_cannot_be_written(move):
    product = promised()

    with pytest.raises(Exception, match="short token"):
        move(by=UNWRITABLE, product=product, **MOVES[move][0])

    assert (stock_of(product), moved(product)) == ((10, 4), 10)


@EVERY_MOVE
def test_stock_refuses_the_reason_of_something_else(move):
    with pytest.raises(ReasonUnfit):
        move(by=SETUP, product=promised(), **MOVES[move][0] | {"reason": "order"})


@pytest.mark.parametrize(("move", "values"), [(receive_stock, {"quantity": 0}), (write_off_stock, {"quantity": -1})])
def test_stock_refuses_numbers_below_one(move, values):
    with pytest.raises(ValueError, match=str(values["quantity"])):
        move(by=SETUP, product=promised(), **MOVES[move][0] | values)


@pytest.mark.parametrize(("move", "values"), [(write_off_stock, {"quantity": 7}), (count_stock, {"counted": 3})])
def test_stock_refuses_to_take_what_orders_were_promised(move, values):
    product = promised()

    with pytest.raises(StockPromised):
        move(by=SETUP, product=product, **MOVES[move][0] | values)

    assert stock_of(product) == (10, 4)


def test_count_stock_refuses_a_count_of_another_moment():
    product = promised()
    ship_stock([(product.pk, 1)])

    with pytest.raises(StockMoved):
        count_stock(by=SETUP, product=product, counted=8, seen=10, reason="stocktaking")

    assert stock_of(product) == (9, 3)


def test_stock_is_reserved_released_and_shipped():
    product = make_product(on_hand=10)

    reserve_stock({product.pk: 4})
    release_stock([(product.pk, 1)])
    ship_stock([(product.pk, 3)])

    assert stock_of(product) == (7, 0)
    assert moved(product) == 7


@pytest.mark.parametrize("change", [{"reserved": 11}, {"on_hand": -1}, {"reserved": -1}])
def test_database_refuses_stock_that_cannot_be(change):
    make_product(on_hand=10)

    with pytest.raises(IntegrityError):
        StockItem.objects.update(**change)


def at_once(*calls):
    """Each call in a thread and connection of its own; the errors that they raised."""
    errors, gate = [], threading.Barrier(len(calls))

    def run(call):
        gate.wait()
        try:
            call()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_stock_written_off_ten_times_at_once_goes_no_further_than_what_is_free(transactional_db):
    product = promised()

    errors = at_once(*[lambda: write_off_stock(by=SETUP, product=product, quantity=2, reason="lost")] * 10)

    assert stock_of(product) == (4, 4)
    assert [type(error) for error in errors] == [StockPromised] * 7
    assert moved(product) == 4


def test_stock_counted_twice_at_once_is_set_once(transactional_db):
    product = make_product(on_hand=10)

    errors = at_once(*[lambda: count_stock(by=SETUP, product=product, counted=8, seen=10, reason="stocktaking")] * 2)

    assert [type(error) for error in errors] == [StockMoved]
    assert (stock_of(product), moved(product)) == ((8, 0), 8)


def test_stock_received_at_once_is_all_there(transactional_db):
    product = make_product(on_hand=0)

    errors = at_once(*[lambda: receive_stock(by=SETUP, product=product, quantity=3, reason="delivery")] * 8)

    assert (errors, stock_of(product), moved(product)) == ([], (24, 0), 24)


# Staff pages


@pytest.fixture
def keeper():
    return staff_client(make_staff(Role.FULFILLMENT, "f@example.org"), "f@example.org")


@pytest.fixture
def administrator():
    return staff_client(make_staff(Role.ADMINISTRATOR, "a@example.org"), "a@example.org")


def stock_page(product):
    return f"/admin/orders/stockitem/{product.stock.pk}/change/"


def test_fulfillment_moves_stock(keeper):
    product = promised()

    keeper.post(stock_page(product), {"quantity": "5", "reason": "delivery", "_receive": "1"})
    keeper.post(stock_page(product), {"quantity": "1", "reason": "sample", "_write_off": "1"})
    keeper.post(stock_page(product), {"counted": "12", "seen": "14", "reason": "stocktaking", "_count": "1"})

    assert stock_of(product) == (12, 4)
    assert [movement.kind for movement in product.movements.all()] == ["counted", "written_off", "received", "received"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"quantity": "7", "reason": "lost", "_write_off": "1"}, "promised 4 pieces"),
        ({"quantity": "0", "reason": "lost", "_write_off": "1"}, "greater than or equal to 1"),
        ({"quantity": "x", "reason": "lost", "_write_off": "1"}, "whole number"),
        ({"quantity": "1", "reason": "order", "_receive": "1"}, "valid choice"),
        ({"counted": "9", "seen": "11", "reason": "stocktaking", "_count": "1"}, "the books now say 10"),
        ({"quantity": "1", "reason": "lost", "note": "n", "_write_off": "1"}, "did not ask for"),
    ],
)
def test_a_wrong_movement_is_explained_keeps_what_was_typed_and_changes_nothing(keeper, wrong, message):
    product = promised()

    page = keeper.post(stock_page(product), wrong).content.decode()

    assert message in page
    assert f'value="{wrong.get("quantity", wrong.get("counted"))}"' in page
    assert stock_of(product) == (10, 4)


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ADMINISTRATOR, Role.AUDITOR])
def test_other_roles_see_the_stock_and_cannot_move_it(role):
    product = promised()
    client = staff_client(make_staff(role, "o@example.org"), "o@example.org")

    page = client.get(stock_page(product))
    answer = client.post(stock_page(product), {"quantity": "5", "reason": "delivery", "_receive": "1"})

    assert page.status_code == 200
    assert "_receive" not in page.content.decode()
    assert answer.status_code == 403
    assert stock_of(product) == (10, 4)


def test_stock_page_takes_as_many_queries_for_many_movements_as_for_one(keeper):
    product = promised()
    keeper.get(stock_page(product))
    few = count_queries(lambda: keeper.get(stock_page(product)))
    for _ in range(5):
        receive_stock(by=SETUP, product=product, quantity=1, reason="found")

    assert count_queries(lambda: keeper.get(stock_page(product))) <= few


def test_movements_are_listed_and_cannot_be_changed(keeper):
    product = promised()
    movement = product.movements.get()

    assert product.title in keeper.get("/admin/orders/stockmovement/").content.decode()
    assert keeper.get("/admin/orders/stockmovement/add/").status_code == 403
    assert keeper.post(f"/admin/orders/stockmovement/{movement.pk}/change/", {"change": "9"}).status_code == 403


def test_administrator_does_not_overwrite_a_later_change(administrator):
    product = make_product()
    values = {
        "title": "New",
        "slug": product.slug,
        "description": "D",
        "kind": "mug",
        "price": "20.00",
        "tax_class": "standard",
        "seen": "1",
    }
    change_product(by=SETUP, product=Product.objects.get())

    page = administrator.post(f"/admin/orders/product/{product.pk}/change/", values).content.decode()

    assert "Somebody else has changed this product" in page
    assert 'value="New"' in page
    assert Product.objects.get().title != "New"


def test_administrator_takes_a_product_off_sale_and_puts_it_back(administrator):
    product = make_product()
    address = f"/admin/orders/product/{product.pk}/change/"

    administrator.post(address, {"_button": "take_off"})
    assert not Product.objects.get().is_active
    administrator.post(address, {"_button": "offer"})

    assert Product.objects.get().is_active


def test_administrator_adds_a_category(administrator):
    administrator.post("/admin/orders/productcategory/add/", {"title": "Lamps", "slug": "lamps", "kind": "lamp", "position": "1"})

    assert ProductCategory.objects.get().title == "Lamps"


# The demo's


def test_demo_products_are_sixty_in_eight_categories_with_words_in_each_language():
    assert add_demo_products(by=SETUP) == len(demo_products()) == 60
    assert add_demo_products(by=SETUP) == 0

    assert ProductCategory.objects.count() == 8
    assert {product.kind for product in demo_products()} == set(KINDS)
    assert all(len(product.words) == 6 and all(product.words.values()) for product in demo_products())
    assert not Product.objects.filter(movements=None, stock__on_hand__gt=0).exists()
    assert StockMovement.objects.count() == Product.objects.filter(stock__on_hand__gt=0).count()
