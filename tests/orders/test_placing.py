"""Placing an order: the permissions, the stock, the copies, and one order a form."""

from uuid import uuid4

import pytest

from audit.events import Event
from orders.catalogue.errors import OutOfStock
from orders.catalogue.models import Product
from orders.checkout.actions import ORDER_PURPOSES
from orders.checkout.errors import BasketEmpty, CheckoutTokenTaken, MethodUnknown, PermissionsMissing
from orders.lifecycle.models import Order, OrderAddress, OrderContact, OrderEvent, OrderState
from orders.payments.models import PaymentDetail, PaymentOperation
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.consent.queries import missing_purposes
from privacy.declarations.purposes import Purpose
from privacy.mail.models import OutboundMail
from tests.orders.factories import ADDRESS, UNWRITABLE, entries, kinds, make_customer, make_product, place, stock_of

pytestmark = pytest.mark.django_db


def test_place_order_freezes_lines_and_totals():
    product = make_product(price=5000)

    order = place(items=[(product, 2)])
    Product.objects.filter(pk=product.pk).update(price=1, title="Other")

    assert (order.goods_total, order.shipping_total, order.total) == (10000, 0, 10000)
    line = order.lines.get()
    assert (line.title, line.unit_price, line.total, line.tax_rate) == (product.title, 5000, 10000, 1900)
    assert line.tax == order.tax_total == 1597


def test_place_order_reserves_stock_and_asks_for_payment():
    product = make_product(on_hand=3)

    order = place(items=[(product, 2)])

    assert stock_of(product) == (3, 2)
    assert PaymentOperation.objects.get(payment__order=order).amount == order.total
    assert order.state == OrderState.PENDING_PAYMENT
    assert kinds(order) == ["placed"]


def test_place_order_writes_one_event_and_one_mail():
    order = place()

    assert entries(Event.ORDER_PLACED, object_id=order.pk) == 1
    assert OutboundMail.objects.filter(template="orders_placed", object_id=order.pk).count() == 1


@pytest.mark.promise("PROTECT-4")
def test_place_order_seals_who_ordered_and_where_it_goes():
    user = make_customer(name="Marker Buyer")
    order = place(user)
    contact = OrderContact.objects.get(order=order)
    address = OrderAddress.objects.get(order=order)
    detail = PaymentDetail.objects.get(payment__order=order)

    assert "Marker" not in f"{contact.name} {contact.email} {address.line1} {detail.payer}"
    with unit_of_work():
        with open_access(by=user.actor, purpose=Purpose.ORDER, subject=user.subject) as grant:
            assert grant.open(contact.name) == "Marker Buyer"
        with open_access(by=user.actor, purpose=Purpose.DISPATCH, subject=user.subject) as grant:
            assert {name: grant.open(getattr(address, name)) for name in ADDRESS} == ADDRESS
        with open_access(by=user.actor, purpose=Purpose.PAYMENT, subject=user.subject) as grant:
            assert grant.open(detail.payer) == "Marker Buyer"


def test_place_order_enters_permissions_given_in_the_form():
    user = make_customer(permissions=())

    place(user, permissions=ORDER_PURPOSES)

    assert missing_purposes(user.subject_id, ORDER_PURPOSES) == []


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("missing", ORDER_PURPOSES)
def test_place_order_refuses_without_a_permission(missing):
    user = make_customer()
    with unit_of_work():
        withdraw_consent(by=user.actor, subject=user.subject, purpose=missing, locale="en")

    with pytest.raises(PermissionsMissing):
        place(user)

    assert not Order.objects.exists()


def test_place_order_refuses_an_empty_basket():
    with pytest.raises(BasketEmpty):
        place(items=[])


def test_place_order_refuses_an_unknown_method():
    with pytest.raises(MethodUnknown):
        place(method="barter")


def test_place_order_refuses_more_than_there_is():
    first, last = make_product(on_hand=5), make_product(on_hand=1)

    with pytest.raises(OutOfStock) as refusal:
        place(items=[(first, 2), (last, 2)])

    assert refusal.value.product_id == last.pk
    assert stock_of(first) == (5, 0)
    assert not Order.objects.exists()


def test_place_order_refuses_a_product_that_is_no_longer_for_sale():
    product = make_product()
    Product.objects.update(is_active=False)

    with pytest.raises(OutOfStock):
        place(items=[(product, 1)])


def test_place_order_twice_with_one_form_is_one_order():
    user, product, token = make_customer(), make_product(on_hand=10), uuid4()

    first = place(user, [(product, 2)], token=token)
    second = place(user, [(product, 2)], token=token)

    assert first == second
    assert stock_of(product) == (10, 2)
    assert OrderEvent.objects.filter(kind="placed").count() == 1


def test_place_order_refuses_the_form_of_somebody_else():
    token = uuid4()
    place(token=token)

    with pytest.raises(CheckoutTokenTaken):
        place(token=token)


def test_place_order_changes_nothing_if_the_event_cannot_be_written():
    product = make_product()

    with pytest.raises(Exception, match="short token"):
        place(items=[(product, 1)], by=UNWRITABLE, permissions=())

    assert not Order.objects.exists()
    assert stock_of(product) == (10, 0)
