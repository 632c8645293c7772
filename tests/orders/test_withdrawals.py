"""A purchase that its buyer cancels: what is declared, by when, and how goods and money go back."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit.events import Event
from orders.catalogue.models import StockMovement
from orders.invoices.models import CreditNote
from orders.lifecycle.actions import cancel_order, close_order
from orders.lifecycle.books import overcredited_invoices, overdrawn_lines
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.models import Order, OrderContact, OrderState
from orders.lifecycle.timers import close_finished_orders
from orders.parcels.actions import hand_over_parcel
from orders.parcels.models import Parcel
from orders.payments.actions import refund_order
from orders.payments.models import Payment
from orders.withdrawals.actions import (
    accept_late_withdrawal,
    declare_withdrawal,
    exempt_withdrawal,
    receive_goods,
    refund_withdrawal,
)
from orders.withdrawals.deadlines import last_day, withdrawal_deadline
from orders.withdrawals.errors import FormOfAnotherOrder, GoodsStillHere, LateUndecided, NotAllowed, NothingLeft, NotInTime
from orders.withdrawals.models import ContractWithdrawal, WithdrawalState
from orders.withdrawals.queries import refund_due
from privacy.access.gate import unit_of_work
from privacy.mail.actions import deliver_mail
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.retention.actions import purge_expired, start_purge
from privacy.rights.erasure import blockers_of
from tests.orders.factories import (
    SETUP,
    UNWRITABLE,
    actor,
    confirmed,
    delivered,
    entries,
    fresh,
    handed_over,
    kinds,
    make_customer,
    make_product,
    packed,
    parcel_of,
    place,
    place_as_guest,
    received,
    settle,
    stock_of,
)
from tests.orders.test_races import at_once

pytestmark = pytest.mark.django_db

Outcome = ContractWithdrawal.Outcome


def me(order):
    return Actor(Role.CUSTOMER, order.subject_id)


def declare(order, by=None, **how):
    with unit_of_work():
        return declare_withdrawal(by=by or me(order), order=order, **({"token": uuid4()} | how))


def do(action, withdrawal, by=SETUP, **how):
    with unit_of_work():
        return action(by=by, withdrawal=withdrawal, **how)


def one_of(order, pieces=1):
    return {order.lines.first().pk: pieces}


def delivered_on(order, moment):
    Parcel.objects.filter(order=order).update(delivered_at=moment)
    return fresh(order)


def two_kinds():
    """Two lines at two tax rates: 2 × €20.00 at 19 %, 1 × €30.00 at 7 %, and €4.90 for the delivery."""
    return [(make_product(price=2000), 2), (make_product(price=3000, tax_class="books"), 1)]


def purge():
    """A whole run, as the worker does it."""
    with unit_of_work():
        run = start_purge(by=Actor.job("purge"))
    purge_expired(by=Actor.job("purge"), run=run)


# Deadlines


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 11, 2), date(2026, 11, 16)),
        (date(2026, 11, 6), date(2026, 11, 20)),
        (date(2026, 11, 7), date(2026, 11, 23)),  # a Saturday: its 14th day is one too, so Monday
        (date(2026, 11, 8), date(2026, 11, 23)),
        (date(2026, 3, 20), date(2026, 4, 3)),  # over the night on which clocks change
    ],
)
def test_last_day_does_not_count_the_first_and_never_ends_on_a_weekend(start, end):
    for hour in (1, 12, 21):
        assert last_day(datetime(start.year, start.month, start.day, hour, 30, tzinfo=UTC), 14) == end


@given(st.integers(0, 60_000), st.integers(1, 40))
def test_last_day_gives_every_day_of_the_period(hours, days):
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    first, last = timezone.localtime(start).date(), last_day(start, days)

    assert timedelta(days=days) <= last - first <= timedelta(days=days + 2)
    assert last.weekday() < 5


def test_deadline_begins_when_everything_has_arrived():
    order = handed_over()
    assert withdrawal_deadline(order) is None

    order = delivered_on(order, datetime(2026, 11, 2, 9, tzinfo=UTC))
    assert timezone.localtime(withdrawal_deadline(order)).isoformat().startswith("2026-11-17T00:00:00")


# Declared


def test_declare_withdrawal_of_a_delivered_order():
    order = delivered()

    withdrawal = declare(order)

    assert withdrawal.state == WithdrawalState.DECLARED
    assert not withdrawal.is_late
    assert [(line.line.title, line.quantity) for line in withdrawal.lines.all()] == [(order.lines.get().title, 2)]
    assert kinds(order)[-1] == "withdrawn"
    assert fresh(order).state == OrderState.COMPLETED


def test_declare_withdrawal_writes_one_event():
    order = delivered()
    withdrawal = declare(order)

    assert entries(Event.WITHDRAWAL_DECLARED, object_id=withdrawal.pk, subject_id=order.subject_id) == 1


def test_declare_withdrawal_changes_nothing_if_the_event_cannot_be_written():
    order = delivered()

    with pytest.raises(Exception, match="short token"):
        declare(order, by=UNWRITABLE)

    assert not ContractWithdrawal.objects.exists()
    assert kinds(order)[-1] == "completed"


def test_declare_withdrawal_twice_with_one_form_is_one():
    order, token = delivered(), uuid4()

    first, second = declare(order, token=token, quantities=one_of(order)), declare(order, token=token, quantities=one_of(order))

    assert first.pk == second.pk
    assert ContractWithdrawal.objects.count() == 1


def test_declare_withdrawal_of_parts_until_nothing_is_left():
    order = delivered()
    declare(order, quantities=one_of(order))
    declare(order, quantities=one_of(order))

    with pytest.raises(NothingLeft):
        declare(order, quantities=one_of(order))


@pytest.mark.parametrize("pieces", [0, -1, 3])
def test_declare_withdrawal_refuses_pieces_that_were_not_bought(pieces):
    order = delivered()

    with pytest.raises(NothingLeft):
        declare(order, quantities=one_of(order, pieces))


def test_declare_withdrawal_refuses_lines_of_other_orders():
    order, other = delivered(), delivered()

    with pytest.raises(NothingLeft):
        declare(order, quantities=one_of(other))


def test_declare_withdrawal_refuses_a_form_of_another_order():
    order, other, token = delivered(), delivered(), uuid4()
    declare(order, token=token)

    with pytest.raises(FormOfAnotherOrder):
        declare(other, token=token)


def test_declare_withdrawal_refuses_strangers_and_other_staff():
    order = delivered()

    for stranger in (make_customer().actor, actor(Role.FINANCE), actor(Role.FULFILLMENT)):
        with pytest.raises(NotAllowed):
            declare(order, by=stranger)


def test_declare_withdrawal_lets_staff_enter_when_a_letter_arrived():
    order = delivered_on(delivered(), timezone.now() - timedelta(days=30))
    arrived = timezone.now() - timedelta(days=20)

    withdrawal = declare(order, by=actor(Role.SUPPORT), declared_at=arrived)

    assert withdrawal.declared_at == arrived
    assert not withdrawal.is_late


def test_declare_withdrawal_does_not_let_the_buyer_choose_the_moment():
    order = delivered()

    with pytest.raises(NotAllowed):
        declare(order, declared_at=timezone.now() - timedelta(days=9))


@pytest.mark.parametrize("make", [lambda: place(), lambda: settle(place(), "authorize", "declined")])
def test_declare_withdrawal_of_an_order_that_is_not_paid_cancels_it(make):
    order = make()

    declare(order)

    assert fresh(order).state == OrderState.CANCELED


@pytest.mark.parametrize("make", [received, confirmed, packed])
def test_declare_withdrawal_of_an_order_that_has_not_left_cancels_it(make):
    product = make_product()
    order = make(items=[(product, 2)])

    withdrawal = declare(order)

    assert (withdrawal.state, withdrawal.outcome) == (WithdrawalState.CLOSED, Outcome.CANCELED)
    assert fresh(order).state == OrderState.CANCELED
    assert stock_of(product) == (10, 0)
    assert entries(Event.WITHDRAWAL_CLOSED, object_id=withdrawal.pk) == 1


def test_declare_withdrawal_of_a_part_of_an_order_that_has_not_left_leaves_the_rest():
    order = confirmed()

    withdrawal = declare(order, quantities=one_of(order))

    assert fresh(order).state == OrderState.CONFIRMED
    assert withdrawal.is_open
    declare(order, quantities=one_of(order))
    assert fresh(order).state == OrderState.CANCELED
    assert not ContractWithdrawal.objects.filter(order=order).exclude(outcome=Outcome.CANCELED).exists()


def test_declare_withdrawal_while_the_parcel_travels_waits_for_the_goods():
    order = handed_over()

    withdrawal = declare(order)

    assert withdrawal.is_open
    assert withdrawal.deadline_at is None
    assert fresh(order).state == OrderState.CONFIRMED


def test_declare_withdrawal_of_an_ended_order_is_refused():
    order = place()
    with unit_of_work():
        cancel_order(by=me(order), order=order)

    with pytest.raises(TransitionRefused):
        declare(order)


def test_cancel_order_ends_the_withdrawals_of_its_parts():
    order = confirmed()
    withdrawal = declare(order, quantities=one_of(order))

    with unit_of_work():
        cancel_order(by=actor(Role.SUPPORT), order=order)

    withdrawal.refresh_from_db()
    assert withdrawal.outcome == Outcome.CANCELED


# Acknowledged


def acknowledge(withdrawal):
    mail.outbox.clear()
    deliver_mail(OutboundMail.objects.get(template="orders_withdrawal_received", object_id=withdrawal.pk))
    withdrawal.refresh_from_db()
    return mail.outbox[0]


def test_declaration_is_acknowledged_with_its_content_and_moment():
    order = delivered(user=make_customer(name="Marker Buyer"))
    withdrawal = declare(order)

    message = acknowledge(withdrawal)

    declared_at = timezone.localtime(withdrawal.declared_at)
    for said in (order.code, order.lines.get().title, "Marker Buyer", declared_at.strftime("%H:%M:%S")):
        assert said in message.body
    assert not any(secret in message.subject for secret in (order.code, "Marker"))
    assert withdrawal.state == WithdrawalState.ACKNOWLEDGED
    assert entries(Event.WITHDRAWAL_ACKNOWLEDGED, object_id=withdrawal.pk) == 1


def test_every_declaration_has_its_acknowledgement_queued_in_the_same_transaction():
    for order in (delivered(), confirmed(), place_as_guest()):
        declare(order)

    asked = set(ContractWithdrawal.objects.values_list("pk", flat=True))
    assert set(OutboundMail.objects.filter(template="orders_withdrawal_received").values_list("object_id", flat=True)) == asked


def test_acknowledgement_of_a_canceled_order_says_that_nothing_comes_back():
    withdrawal = declare(confirmed())

    assert "need not send anything back" in acknowledge(withdrawal).body
    assert withdrawal.state == WithdrawalState.CLOSED


# Goods and money


def test_receive_goods_puts_them_on_the_shelf():
    product = make_product()
    order = delivered(items=[(product, 2)])
    withdrawal = declare(order, quantities=one_of(order))

    withdrawal = do(receive_goods, withdrawal, to_stock=True)

    assert withdrawal.state == WithdrawalState.GOODS_BACK
    assert stock_of(product) == (9, 0)
    assert StockMovement.objects.filter(product=product, kind="returned", change=1).count() == 1
    assert entries(Event.WITHDRAWAL_GOODS_RECEIVED, object_id=withdrawal.pk) == 1


def test_receive_goods_that_cannot_be_sold_again_moves_no_stock():
    product = make_product()
    withdrawal = declare(delivered(items=[(product, 2)]))

    do(receive_goods, withdrawal, to_stock=False)

    assert stock_of(product) == (8, 0)


def test_receive_goods_refuses_twice_and_before_they_left():
    withdrawal = declare(delivered())
    do(receive_goods, withdrawal, to_stock=True)
    with pytest.raises(TransitionRefused):
        do(receive_goods, withdrawal, to_stock=True)

    order = confirmed()
    with pytest.raises(GoodsStillHere):
        do(receive_goods, declare(order, quantities=one_of(order)), to_stock=True)


def test_receive_goods_changes_nothing_if_the_event_cannot_be_written():
    product = make_product()
    withdrawal = declare(delivered(items=[(product, 2)]))

    with pytest.raises(Exception, match="short token"):
        do(receive_goods, withdrawal, by=UNWRITABLE, to_stock=True)

    withdrawal.refresh_from_db()
    assert withdrawal.goods_back_at is None
    assert stock_of(product) == (8, 0)


def test_full_withdrawal_gives_back_the_price_and_the_delivery():
    order = delivered(items=two_kinds())
    withdrawal = do(receive_goods, declare(order), to_stock=True)

    do(refund_withdrawal, withdrawal)
    settle(order, "refund")

    assert Payment.objects.get(order=order).refunded == order.total == 7490
    withdrawal.refresh_from_db()
    assert (withdrawal.state, withdrawal.outcome) == (WithdrawalState.REFUNDED, Outcome.REFUNDED)


def test_partial_withdrawal_gives_back_the_price_alone():
    order = delivered(items=two_kinds())
    withdrawal = do(receive_goods, declare(order, quantities=one_of(order)), to_stock=True)

    do(refund_withdrawal, withdrawal)
    settle(order, "refund")

    assert Payment.objects.get(order=order).refunded == 2000


def test_the_last_of_several_withdrawals_gives_back_the_delivery_too():
    order = delivered(items=two_kinds())
    first, book = order.lines.all()
    parts = [declare(order, quantities={first.pk: 1}), declare(order, quantities={first.pk: 1, book.pk: 1})]

    assert [refund_due(part) for part in parts] == [2000, 5000]
    for part in parts:
        do(refund_withdrawal, do(receive_goods, part, to_stock=True))
        settle(order, "refund")

    assert Payment.objects.get(order=order).refunded == order.total
    assert sorted(CreditNote.objects.values_list("total", flat=True)) == [2000, 5490]


def test_refund_withdrawal_counts_what_was_given_back_before():
    order = delivered()
    with unit_of_work():
        refund_order(by=SETUP, order=order, amount=order.total - 100, reason="goodwill")
    settle(order, "refund")
    withdrawal = do(receive_goods, declare(order), to_stock=True)

    do(refund_withdrawal, withdrawal)
    settle(order, "refund")

    assert Payment.objects.get(order=order).refunded == order.total


def test_refund_withdrawal_with_nothing_left_to_give_is_done():
    order = delivered()
    with unit_of_work():
        refund_order(by=SETUP, order=order, amount=order.total, reason="goodwill")
    settle(order, "refund")

    withdrawal = do(refund_withdrawal, do(receive_goods, declare(order), to_stock=True))

    assert (withdrawal.state, withdrawal.refund) == (WithdrawalState.REFUNDED, None)


def test_refund_withdrawal_refuses_before_the_goods_and_twice():
    withdrawal = declare(delivered())
    with pytest.raises(TransitionRefused):
        do(refund_withdrawal, withdrawal)

    do(refund_withdrawal, do(receive_goods, withdrawal, to_stock=True))
    with pytest.raises(TransitionRefused):
        do(refund_withdrawal, withdrawal)


def test_refund_withdrawal_again_after_the_provider_declined():
    order = delivered()
    withdrawal = do(refund_withdrawal, do(receive_goods, declare(order), to_stock=True))
    settle(order, "refund", "declined")

    do(refund_withdrawal, withdrawal)
    settle(order, "refund")

    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.REFUNDED


# Late, and exempt


def late(order=None):
    order = order or delivered()
    return declare(delivered_on(order, timezone.now() - timedelta(days=20)))


def test_late_declaration_is_accepted_and_marked():
    withdrawal = late()

    assert withdrawal.is_late
    assert withdrawal.is_open
    with pytest.raises(LateUndecided):
        do(receive_goods, withdrawal, to_stock=True)


def test_accept_late_withdrawal_names_a_reason():
    withdrawal = do(accept_late_withdrawal, late(), reason="not_informed")

    assert withdrawal.late_reason == "not_informed"
    assert entries(Event.WITHDRAWAL_ACCEPTED_LATE, object_id=withdrawal.pk, outcome="not_informed") == 1
    assert do(receive_goods, withdrawal, to_stock=True).goods_back_at is not None


def test_accept_late_withdrawal_refuses_one_in_time_and_unknown_reasons():
    with pytest.raises(NotInTime):
        do(accept_late_withdrawal, declare(delivered()), reason="goodwill")
    with pytest.raises(ValueError, match="because"):
        do(accept_late_withdrawal, late(), reason="because")


def test_exempt_withdrawal_tells_the_buyer_which_exception():
    order = delivered()
    withdrawal = do(exempt_withdrawal, declare(order), exemption="made_to_order")
    mail.outbox.clear()
    deliver_mail(OutboundMail.objects.get(template="orders_withdrawal_exempt"))

    assert (withdrawal.state, withdrawal.outcome) == (WithdrawalState.CLOSED, Outcome.EXEMPT)
    assert "Art. 16(c)" in mail.outbox[0].body
    assert "/complain/" in mail.outbox[0].body
    assert entries(Event.WITHDRAWAL_EXEMPTED, object_id=withdrawal.pk, outcome="made_to_order") == 1
    assert kinds(order)[-1] == "withdrawal_exempt"


def test_exempt_withdrawal_for_being_late_only_when_it_was():
    with pytest.raises(NotInTime):
        do(exempt_withdrawal, declare(delivered()), exemption="too_late")

    assert do(exempt_withdrawal, late(), exemption="too_late").outcome == Outcome.EXEMPT


def test_exempt_withdrawal_refuses_once_the_money_is_on_its_way():
    withdrawal = do(refund_withdrawal, do(receive_goods, declare(delivered()), to_stock=True))

    with pytest.raises(TransitionRefused):
        do(exempt_withdrawal, withdrawal, exemption="hygiene")


@pytest.mark.parametrize(
    ("action", "how"),
    [(exempt_withdrawal, {"exemption": "hygiene"}), (accept_late_withdrawal, {"reason": "goodwill"})],
)
def test_decisions_change_nothing_if_the_event_cannot_be_written(action, how):
    withdrawal = late()

    with pytest.raises(Exception, match="short token"):
        do(action, withdrawal, by=UNWRITABLE, **how)

    withdrawal.refresh_from_db()
    assert withdrawal.is_open
    assert not withdrawal.late_reason


# What an open one keeps


@pytest.mark.promise("CHANGE-4")
def test_order_stays_open_while_a_withdrawal_is(settings):
    order = delivered()
    withdrawal = declare(order)
    Order.objects.filter(pk=order.pk).update(completed_at=timezone.now() - timedelta(days=400))

    assert close_finished_orders(by=SETUP) == 0
    with pytest.raises(TransitionRefused), unit_of_work():
        close_order(by=SETUP, order=order)
    do(refund_withdrawal, do(receive_goods, withdrawal, to_stock=True))
    settle(order, "refund")

    assert close_finished_orders(by=SETUP) == 1
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.CLOSED


@pytest.mark.promise("CHANGE-4")
def test_purge_leaves_what_an_open_withdrawal_of_a_closed_order_needs():
    order, ended = delivered(), delivered()
    for closed in (order, ended):
        Order.objects.filter(pk=closed.pk).update(state="closed", closed_at=timezone.now() - timedelta(days=200))
        Parcel.objects.filter(order=closed).update(delivered_at=timezone.now() - timedelta(days=214))
    withdrawal = declare(fresh(order))

    purge()

    assert OrderContact.objects.filter(order=order).exists()
    assert not OrderContact.objects.filter(order=ended).exists()
    do(exempt_withdrawal, withdrawal, exemption="too_late")
    purge()
    assert not OrderContact.objects.filter(order=order).exists()


@pytest.mark.promise("CHANGE-4")
def test_erasure_waits_for_an_open_withdrawal():
    order = delivered()
    withdrawal = declare(order)
    assert [str(blocker.reason) for blocker in blockers_of(order.subject_id)] == [
        "You have canceled a purchase, and the goods or the money are still on their way back."
    ]

    do(exempt_withdrawal, withdrawal, exemption="hygiene")

    assert blockers_of(order.subject_id) == []


@pytest.mark.promise("CHANGE-4")
def test_books_agree_after_withdrawals():
    order = delivered(items=two_kinds())
    for quantities in (one_of(order), None):
        do(refund_withdrawal, do(receive_goods, declare(order, quantities=quantities), to_stock=True))
        settle(order, "refund")

    assert (overdrawn_lines(), overcredited_invoices()) == (0, 0)


# At once


@pytest.mark.django_db(transaction=True)
def test_two_withdrawals_at_once_give_up_no_piece_twice(partners):
    order = delivered()

    results = at_once(*(lambda: declare(order) for _ in range(4)))

    assert sum(isinstance(result, ContractWithdrawal) for result in results) == 1
    assert sum(isinstance(result, NothingLeft) for result in results) == 3
    assert overdrawn_lines() == 0


@pytest.mark.django_db(transaction=True)
def test_withdrawal_against_packing_ends_one_way(partners):
    order = packed()

    def hand_over():
        with unit_of_work():
            hand_over_parcel(by=SETUP, parcel=parcel_of(order))

    at_once(lambda: declare(order), hand_over)

    withdrawal = ContractWithdrawal.objects.get()
    canceled = fresh(order).state == OrderState.CANCELED
    assert canceled == (withdrawal.outcome == Outcome.CANCELED)
    assert canceled or parcel_of(order).state == "handed_over"


def test_guest_declares_as_anybody_else():
    order = place_as_guest()

    assert declare(order).outcome == Outcome.CANCELED
