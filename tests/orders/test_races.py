"""Several people at once, with real threads, connections and commits."""

import threading
from uuid import uuid4

import pytest
from django.db import connection

from orders.catalogue.errors import OutOfStock
from orders.invoices.models import Invoice
from orders.lifecycle.actions import cancel_order
from orders.lifecycle.errors import MoneyMoved, RefundTooLarge, TransitionRefused
from orders.lifecycle.models import Order, OrderEvent, OrderState
from orders.parcels.actions import pack_parcel
from orders.parcels.models import ParcelState
from orders.payments.actions import refund_order
from orders.payments.models import LedgerEntry, OperationKind, Payment, PaymentOperation, Refund
from orders.payments.operations import CASHIER
from orders.payments.results import apply_answer, receive_payment_webhook
from privacy.access.gate import unit_of_work
from privacy.jobs.actions import perform_job
from privacy.policy.roles import Actor, Role
from tests.orders.factories import (
    actor,
    confirmed,
    fresh,
    handed_over,
    make_customer,
    make_product,
    operation,
    packed,
    parcel_of,
    place,
    received,
    stock_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions):
    """Run each action in a thread and connection of its own, all starting together; returns results or errors."""
    barrier = threading.Barrier(len(actions))
    results = [None] * len(actions)

    def run(i, action):
        try:
            barrier.wait(10)
            results[i] = action()
        except Exception as error:
            results[i] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def in_unit(action, **how):
    def run():
        with unit_of_work():
            return action(**how)

    return run


def test_last_item_goes_to_one_of_many_buyers():
    product = make_product(on_hand=1)
    users = [make_customer() for _ in range(8)]

    results = at_once(*[lambda user=user: place(user, [(product, 1)]) for user in users])

    assert sum(isinstance(result, Order) for result in results) == 1
    assert sum(isinstance(result, OutOfStock) for result in results) == 7, results
    assert stock_of(product) == (1, 1)
    assert Order.objects.count() == 1


def test_baskets_with_the_same_products_the_other_way_round_do_not_block_each_other():
    first, second = make_product(on_hand=50), make_product(on_hand=50)
    users = [make_customer() for _ in range(6)]
    baskets = [[(first, 1), (second, 1)], [(second, 1), (first, 1)]] * 3

    results = at_once(*[lambda u=user, b=basket: place(u, b) for user, basket in zip(users, baskets, strict=True)])

    assert all(isinstance(result, Order) for result in results)
    assert stock_of(first) == stock_of(second) == (50, 6)


def test_double_click_places_one_order():
    user, product, token = make_customer(), make_product(), uuid4()

    results = at_once(*[lambda: place(user, [(product, 1)], token=token)] * 4)

    assert len({result.pk for result in results}) == 1
    assert stock_of(product) == (10, 1)
    assert PaymentOperation.objects.count() == 1


def test_cancel_against_pack_leaves_one_of_them():
    for _ in range(3):
        order = confirmed()
        customer = Actor(Role.CUSTOMER, order.subject_id)

        results = at_once(
            in_unit(cancel_order, by=customer, order=order),
            in_unit(pack_parcel, by=actor(Role.FULFILLMENT), parcel=parcel_of(order)),
        )

        assert sum(isinstance(result, TransitionRefused) for result in results) == 1
        is_canceled = fresh(order).state == OrderState.CANCELED
        assert parcel_of(order).state == (ParcelState.CANCELED if is_canceled else ParcelState.PACKED)
        assert PaymentOperation.objects.filter(payment__order=order).exclude(kind="authorize").count() == 1


def test_same_webhook_at_once_moves_money_once():
    order, event_id = place(), str(uuid4())
    key = operation(order, "authorize").pk
    receive = in_unit(receive_payment_webhook, by=CASHIER, event_id=event_id, kind="authorize.succeeded", key=key)

    results = at_once(*[receive] * 4)

    assert sorted(results) == ["applied", "repeated", "repeated", "repeated"]
    assert LedgerEntry.objects.count() == 1


def test_webhook_and_answer_at_once_move_money_once():
    order = place()
    key = operation(order, "authorize").pk

    at_once(
        in_unit(receive_payment_webhook, by=CASHIER, event_id=str(uuid4()), kind="authorize.succeeded", key=key),
        lambda: apply_answer(by=CASHIER, operation_id=key, state="succeeded"),
    )

    assert LedgerEntry.objects.count() == 1
    assert OrderEvent.objects.filter(order=order, kind="payment_authorized").count() == 1


def test_two_workers_with_one_operation_ask_once(outside):
    order = place()
    key = operation(order, "authorize").pk

    at_once(*[lambda: perform_job("orders.paymentoperation", key)] * 2)

    assert outside.books.one("SELECT count(*) AS n FROM operation")["n"] == 1
    assert operation(order, "authorize").attempts == 1


def test_many_refunds_at_once_give_back_no_more_than_was_taken():
    order = handed_over()
    part = order.total * 6 // 10
    refund = in_unit(refund_order, by=actor(Role.FINANCE), order=order, amount=part, reason="goodwill")

    results = at_once(*[refund] * 5)

    assert sum(isinstance(result, Refund) for result in results) == 1
    assert sum(isinstance(result, RefundTooLarge) for result in results) == 4
    assert PaymentOperation.objects.filter(kind=OperationKind.REFUND).count() == 1


def test_one_refund_sent_many_times_at_once_gives_back_once():
    order = handed_over()
    refund = in_unit(refund_order, by=actor(Role.FINANCE), order=order, amount=1, reason="goodwill", left=order.total)

    results = at_once(*[refund] * 4)

    assert sum(isinstance(result, Refund) for result in results) == 1
    assert sum(isinstance(result, MoneyMoved) for result in results) == 3


def test_two_cancellations_at_once_let_go_once():
    order = received()
    customer = Actor(Role.CUSTOMER, order.subject_id)

    at_once(*[in_unit(cancel_order, by=customer, order=order)] * 3)

    assert PaymentOperation.objects.filter(kind=OperationKind.VOID).count() == 1
    assert Payment.objects.get(order=order).captured == 0


def test_invoices_issued_at_once_have_consecutive_numbers():
    orders = [packed(is_paid=False) for _ in range(4)]
    keys = [operation(order, "capture").pk for order in orders]

    at_once(*[lambda key=key: apply_answer(by=CASHIER, operation_id=key, state="succeeded") for key in keys])

    assert sorted(Invoice.objects.values_list("number", flat=True)) == [1, 2, 3, 4]
