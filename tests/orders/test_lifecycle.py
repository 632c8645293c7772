"""From placed to closed: each step, each refusal, one event each, and nothing at all when the log fails."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.events import Event
from orders.lifecycle.actions import cancel_order, close_order, confirm_order, expire_order
from orders.lifecycle.errors import LabelMissing, ParcelPacked, PaymentNotCaptured, TransitionRefused
from orders.lifecycle.models import ENDED, Order, OrderAddress, OrderState
from orders.lifecycle.queries import has_open_order
from orders.lifecycle.steps import steps_of
from orders.lifecycle.timers import advance_timers
from orders.parcels.actions import deliver_parcel, hand_over_parcel, pack_parcel
from orders.parcels.models import ParcelOperation, ParcelState
from orders.payments.models import OperationKind, Payment, PaymentOperation
from privacy.access.gate import unit_of_work
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Role
from tests.orders.factories import (
    SETUP,
    UNWRITABLE,
    actor,
    confirmed,
    entries,
    fresh,
    handed_over,
    kinds,
    make_product,
    operation,
    packed,
    parcel_of,
    place,
    received,
    settle,
    stock_of,
)

pytestmark = pytest.mark.django_db


def act(action, **how):
    with unit_of_work():
        return action(**how)


def mails(order, template):
    return OutboundMail.objects.filter(template=template, object_id=order.pk).count()


def delivered():
    order = handed_over()
    act(deliver_parcel, by=SETUP, parcel=parcel_of(order))
    return fresh(order)


def age(order, **moments):
    Order.objects.filter(pk=order.pk).update(**moments)
    return fresh(order)


# Confirm


def test_confirm_order_plans_a_parcel_and_tells_the_customer():
    order = received()

    act(confirm_order, by=actor(Role.SUPPORT), order=order)

    assert fresh(order).state == OrderState.CONFIRMED
    assert parcel_of(order).state == ParcelState.PLANNED
    assert kinds(order)[-1] == "confirmed"
    assert entries(Event.ORDER_CONFIRMED, object_id=order.pk) == 1
    assert mails(order, "orders_confirmed") == 1


@pytest.mark.parametrize("make", [place, confirmed, packed])
def test_confirm_order_refuses_any_other_state(make):
    order = make()

    with pytest.raises(TransitionRefused):
        act(confirm_order, by=SETUP, order=order)

    assert fresh(order).state == order.state


def test_confirm_order_changes_nothing_if_the_event_cannot_be_written():
    order = received()

    with pytest.raises(Exception, match="short token"):
        act(confirm_order, by=UNWRITABLE, order=order)

    assert fresh(order).state == OrderState.RECEIVED
    assert kinds(order) == ["placed", "payment_authorized"]


# Pack


def test_pack_parcel_asks_for_the_money_and_the_label():
    order = confirmed()

    act(pack_parcel, by=actor(Role.FULFILLMENT), parcel=parcel_of(order))

    assert parcel_of(order).state == ParcelState.PACKED
    assert operation(order, "capture").amount == order.total
    assert ParcelOperation.objects.get(parcel__order=order).kind == "book"
    assert entries(Event.PARCEL_PACKED, case_id=order.pk) == 1
    assert kinds(order)[-1] == "packed"


def test_pack_parcel_refuses_a_parcel_that_is_packed():
    order = packed()

    with pytest.raises(TransitionRefused):
        act(pack_parcel, by=SETUP, parcel=parcel_of(order))

    assert PaymentOperation.objects.filter(kind="capture").count() == 1


def test_pack_parcel_changes_nothing_if_the_event_cannot_be_written():
    order = confirmed()

    with pytest.raises(Exception, match="short token"):
        act(pack_parcel, by=UNWRITABLE, parcel=parcel_of(order))

    assert parcel_of(order).state == ParcelState.PLANNED
    assert not PaymentOperation.objects.filter(kind="capture").exists()


# Hand over


def test_hand_over_parcel_takes_the_goods_out_of_stock():
    product = make_product(on_hand=10)
    order = packed(items=[(product, 3)])
    assert stock_of(product) == (10, 3)

    act(hand_over_parcel, by=actor(Role.FULFILLMENT), parcel=parcel_of(order))

    assert stock_of(product) == (7, 0)
    assert entries(Event.PARCEL_HANDED_OVER, case_id=order.pk) == 1
    assert mails(order, "orders_shipped") == 1
    assert ParcelOperation.objects.filter(parcel__order=order, kind="collect").count() == 1


def test_hand_over_parcel_refuses_before_the_money_is_taken():
    order = packed(is_paid=False)

    with pytest.raises(PaymentNotCaptured):
        act(hand_over_parcel, by=SETUP, parcel=parcel_of(order))


def test_hand_over_parcel_refuses_without_a_label():
    order = packed(is_labeled=False)

    with pytest.raises(LabelMissing):
        act(hand_over_parcel, by=SETUP, parcel=parcel_of(order))


@pytest.mark.parametrize("make", [confirmed, handed_over])
def test_hand_over_parcel_refuses_any_other_state(make):
    order = make()

    with pytest.raises(TransitionRefused):
        act(hand_over_parcel, by=SETUP, parcel=parcel_of(order))


def test_hand_over_parcel_changes_nothing_if_the_event_cannot_be_written():
    product = make_product()
    order = packed(items=[(product, 1)])

    with pytest.raises(Exception, match="short token"):
        act(hand_over_parcel, by=UNWRITABLE, parcel=parcel_of(order))

    assert parcel_of(order).state == ParcelState.PACKED
    assert stock_of(product) == (10, 1)


# Deliver


def test_deliver_parcel_completes_the_order():
    order = handed_over()

    act(deliver_parcel, by=SETUP, parcel=parcel_of(order))

    assert fresh(order).state == OrderState.COMPLETED
    assert fresh(order).completed_at is not None
    assert kinds(order)[-2:] == ["delivered", "completed"]
    assert entries(Event.PARCEL_DELIVERED, case_id=order.pk) == entries(Event.ORDER_COMPLETED, object_id=order.pk) == 1
    assert mails(order, "orders_delivered") == 1


@pytest.mark.parametrize("make", [packed, delivered])
def test_deliver_parcel_refuses_any_other_state(make):
    order = make()

    with pytest.raises(TransitionRefused):
        act(deliver_parcel, by=SETUP, parcel=parcel_of(order))


def test_deliver_parcel_changes_nothing_if_the_event_cannot_be_written():
    order = handed_over()

    with pytest.raises(Exception, match="short token"):
        act(deliver_parcel, by=UNWRITABLE, parcel=parcel_of(order))

    assert fresh(order).state == OrderState.CONFIRMED


# Cancel


@pytest.mark.parametrize("make", [received, confirmed])
def test_cancel_order_by_its_customer_frees_the_stock_and_the_money(make):
    product = make_product()
    order = make(items=[(product, 2)])

    act(cancel_order, by=_customer(order), order=order)

    assert fresh(order).state == OrderState.CANCELED
    assert stock_of(product) == (10, 0)
    assert operation(order, OperationKind.VOID).amount == order.total
    assert entries(Event.ORDER_CANCELED, object_id=order.pk) == 1
    assert mails(order, "orders_canceled") == 1


def test_cancel_order_before_the_bank_answered_lets_go_later():
    order = place()
    act(cancel_order, by=_customer(order), order=order)
    assert not PaymentOperation.objects.filter(kind="void").exists()

    settle(order, "authorize")
    settle(order, "void")

    payment = Payment.objects.get(order=order)
    assert (payment.authorized, payment.voided, payment.captured) == (order.total, order.total, 0)
    assert fresh(order).state == OrderState.CANCELED


def test_cancel_order_refuses_its_customer_once_packed():
    order = packed()

    with pytest.raises(ParcelPacked):
        act(cancel_order, by=_customer(order), order=order)


def test_cancel_order_by_staff_after_packing_gives_the_money_back():
    order = packed()

    act(cancel_order, by=actor(Role.SUPPORT), order=order)
    settle(order, "refund")

    assert Payment.objects.get(order=order).refunded == order.total
    assert parcel_of(order).state == ParcelState.CANCELED


def test_cancel_order_while_the_money_is_being_taken_gives_it_back_afterwards():
    order = packed(is_paid=False)

    act(cancel_order, by=actor(Role.SUPPORT), order=order)
    settle(order, "capture")
    settle(order, "refund")

    payment = Payment.objects.get(order=order)
    assert (payment.captured, payment.refunded) == (order.total, order.total)


@pytest.mark.parametrize("make", [handed_over, delivered])
def test_cancel_order_refuses_once_it_has_left(make):
    order = make()

    with pytest.raises(TransitionRefused):
        act(cancel_order, by=actor(Role.SUPPORT), order=order)


def test_cancel_order_twice_is_refused():
    order = received()
    act(cancel_order, by=SETUP, order=order)

    with pytest.raises(TransitionRefused):
        act(cancel_order, by=SETUP, order=order)

    assert PaymentOperation.objects.filter(kind="void").count() == 1


def test_cancel_order_changes_nothing_if_the_event_cannot_be_written():
    product = make_product()
    order = received(items=[(product, 1)])

    with pytest.raises(Exception, match="short token"):
        act(cancel_order, by=UNWRITABLE, order=order)

    assert fresh(order).state == OrderState.RECEIVED
    assert stock_of(product) == (10, 1)


# Timers


def test_expire_order_frees_the_stock_after_the_time_to_pay():
    product = make_product()
    order = age(place(items=[(product, 2)]), placed_at=timezone.now() - timedelta(minutes=61))

    done = advance_timers(by=SETUP)

    assert done["expired"] == 1
    assert fresh(order).state == OrderState.EXPIRED
    assert fresh(order).closed_at is not None
    assert stock_of(product) == (10, 0)
    assert entries(Event.ORDER_EXPIRED, object_id=order.pk) == 1


def test_expire_order_leaves_an_order_its_time():
    order = age(place(), placed_at=timezone.now() - timedelta(minutes=59))

    assert advance_timers(by=SETUP)["expired"] == 0
    assert fresh(order).state == OrderState.PENDING_PAYMENT


def test_expire_order_refuses_a_paid_one():
    with pytest.raises(TransitionRefused):
        act(expire_order, by=SETUP, order=received())


def test_payment_after_expiry_is_let_go():
    order = age(place(), placed_at=timezone.now() - timedelta(hours=2))
    advance_timers(by=SETUP)

    settle(order, "authorize")

    assert fresh(order).state == OrderState.EXPIRED
    assert operation(order, "void").amount == order.total


@pytest.mark.promise("CHANGE-3")
def test_close_order_starts_the_lifetimes():
    order = age(delivered(), completed_at=timezone.now() - timedelta(days=15))
    address = OrderAddress.objects.get(order=order)
    assert address.lifetime.leaves_at(address) is None

    assert advance_timers(by=SETUP)["closed"] == 1

    order = fresh(order)
    address = OrderAddress.objects.get(order=order)
    assert order.state == OrderState.CLOSED
    assert address.lifetime.leaves_at(address) == order.closed_at + timedelta(days=30)
    assert parcel_of(order).state == ParcelState.CLOSED
    assert entries(Event.ORDER_CLOSED, object_id=order.pk) == 1


def test_close_order_waits_after_delivery():
    delivered()

    assert advance_timers(by=SETUP)["closed"] == 0


def test_close_order_waits_for_the_money_of_a_canceled_one():
    order = received()
    act(cancel_order, by=SETUP, order=order)
    assert advance_timers(by=SETUP)["closed"] == 0

    settle(order, "void")

    assert advance_timers(by=SETUP)["closed"] == 1
    assert fresh(order).state == OrderState.CANCELED
    assert fresh(order).closed_at is not None


def test_close_order_refuses_an_open_one():
    with pytest.raises(TransitionRefused):
        act(close_order, by=SETUP, order=confirmed())


@pytest.mark.parametrize("action", [expire_order, close_order])
def test_timers_change_nothing_if_the_event_cannot_be_written(action):
    order = place() if action is expire_order else delivered()

    with pytest.raises(Exception, match="short token"):
        act(action, by=UNWRITABLE, order=order)

    assert fresh(order).state == order.state
    assert fresh(order).closed_at is None


# What others ask


@pytest.mark.promise("CHANGE-4")
def test_has_open_order_until_it_is_delivered_and_paid():
    order = handed_over()
    assert has_open_order(order.subject_id)

    act(deliver_parcel, by=SETUP, parcel=parcel_of(order))

    assert not has_open_order(order.subject_id)


def test_has_open_order_while_money_goes_back():
    order = received()
    act(cancel_order, by=SETUP, order=order)
    assert has_open_order(order.subject_id)

    settle(order, "void")

    assert not has_open_order(order.subject_id)


@pytest.mark.promise("CHANGE-4")
def test_an_open_order_holds_up_an_erasure():
    from privacy.rights.erasure import plan_erasure

    order = received()

    assert len(plan_erasure(order.subject_id).blockers) == 1


@pytest.mark.parametrize("make", [place, received, confirmed, packed, handed_over, delivered])
def test_steps_of_an_open_order_say_what_comes_next(make):
    order = make()

    states = [step.state for step in steps_of(order)]

    assert ("now" in states) == (order.state not in ENDED)


def _customer(order):
    from privacy.policy.roles import Actor

    return Actor(Role.CUSTOMER, order.subject_id)
