"""The carrier: told one parcel's fields once, heard whenever it speaks."""

from uuid import uuid4

import pytest
from django.utils import timezone

from audit.events import Event
from orders.lifecycle.actions import cancel_order
from orders.lifecycle.errors import PaymentGivenBack, TransitionRefused
from orders.lifecycle.models import OrderState
from orders.parcels.actions import hand_over_parcel, receive_parcel_webhook, request_label
from orders.parcels.models import ParcelLabel, ParcelOperation, ParcelState
from orders.parcels.operations import SHIPPER, give_up, run_operation
from orders.payments.actions import refund_order
from privacy.access.errors import GroundMissing
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.purposes import Purpose
from privacy.jobs.errors import TryLater
from privacy.policy.roles import Actor, Role
from privacy.sharing.models import Disclosure
from tests.orders.factories import SETUP, UNWRITABLE, entries, fresh, handed_over, kinds, make_customer, packed, parcel_of

pytestmark = pytest.mark.django_db


def unlabeled(**how):
    order = packed(is_labeled=False, **how)
    return order, ParcelOperation.objects.get(parcel__order=order, kind="book")


def webhook(kind, parcel_id, event_id=None):
    with unit_of_work():
        return receive_parcel_webhook(by=SHIPPER, event_id=event_id or str(uuid4()), kind=kind, parcel_id=parcel_id)


def test_run_operation_books_the_parcel_and_seals_its_number(outside):
    order, book = unlabeled()

    run_operation(book.pk)

    label = ParcelLabel.objects.get(parcel__order=order)
    assert parcel_of(order).labeled_at is not None
    assert entries(Event.PARCEL_LABELED, case_id=order.pk) == 1
    me = Actor(Role.CUSTOMER, order.subject_id)
    with unit_of_work(), open_access(by=me, purpose=Purpose.DISPATCH, subject=order.subject) as grant:
        assert grant.open(label.tracking_number).startswith("SB")


@pytest.mark.promise("USE-6")
def test_run_operation_tells_the_carrier_the_address_alone(outside):
    order, book = unlabeled()

    run_operation(book.pk)

    disclosure = Disclosure.objects.get(subject_id=order.subject_id, recipient__slug="carrier")
    assert disclosure.fields == [f"orders.orderaddress.{name}" for name in ("addressee", "line1", "locality", "postcode")]
    assert disclosure.case_id == parcel_of(order).pk


def test_run_operation_twice_books_once(outside):
    order, book = unlabeled()

    run_operation(book.pk)
    run_operation(book.pk)

    assert outside.books.one("SELECT count(*) AS n FROM booking")["n"] == 1
    assert kinds(order).count("labeled") == 1


def test_run_operation_waits_while_nobody_answers(nobody_outside):
    _order, book = unlabeled()

    with pytest.raises(TryLater):
        run_operation(book.pk)


def test_run_operation_finds_a_booking_whose_answer_got_lost(outside):
    order, book = unlabeled()
    run_operation(book.pk)
    first = outside.books.one("SELECT tracking_number FROM booking")["tracking_number"]
    ParcelOperation.objects.update(outcome=ParcelOperation.Outcome.UNKNOWN)

    run_operation(book.pk)

    assert outside.books.one("SELECT tracking_number FROM booking")["tracking_number"] == first
    assert Disclosure.objects.filter(recipient__slug="carrier").count() == 1
    assert ParcelLabel.objects.filter(parcel__order=order).count() == 1


def test_run_operation_of_a_canceled_parcel_tells_nobody(outside):
    order, book = unlabeled()
    with unit_of_work():
        cancel_order(by=SETUP, order=order)

    run_operation(book.pk)

    assert not Disclosure.objects.filter(recipient__slug="carrier").exists()


@pytest.mark.promise("RIGHTS-4")
def test_run_operation_refuses_once_the_permission_is_withdrawn(outside):
    user = make_customer()
    _order, book = unlabeled(user=user)
    with unit_of_work():
        withdraw_consent(by=user.actor, subject=user.subject, purpose=Purpose.DISPATCH, locale="en")

    with pytest.raises(GroundMissing):
        run_operation(book.pk)
    give_up(book.pk)

    assert outside.books.one("SELECT count(*) AS n FROM booking")["n"] == 0
    assert ParcelOperation.objects.get(pk=book.pk).outcome == "refused"


def test_run_operation_has_a_handed_over_parcel_collected(outside):
    order, book = unlabeled()
    run_operation(book.pk)
    with unit_of_work():
        hand_over_parcel(by=SETUP, parcel=parcel_of(order))

    run_operation(ParcelOperation.objects.get(kind="collect").pk)

    assert outside.books.one("SELECT collected FROM booking")["collected"] == 1


def test_hand_over_parcel_keeps_goods_whose_money_goes_back():
    order = packed()
    with unit_of_work():
        refund_order(by=SETUP, order=order, amount=order.total, reason="goodwill")

    with pytest.raises(PaymentGivenBack), unit_of_work():
        hand_over_parcel(by=SETUP, parcel=parcel_of(order))

    assert parcel_of(order).state == ParcelState.PACKED


def test_webhook_in_transit_and_delivered():
    order = handed_over()
    parcel = parcel_of(order)

    outcomes = [webhook("parcel.in_transit", parcel.pk), webhook("parcel.delivered", parcel.pk)]

    assert outcomes == ["applied", "applied"]
    assert fresh(order).state == OrderState.COMPLETED
    assert kinds(order)[-3:] == ["in_transit", "delivered", "completed"]


def test_webhook_out_of_order_is_stale():
    parcel = parcel_of(handed_over())

    outcomes = [webhook("parcel.delivered", parcel.pk), webhook("parcel.in_transit", parcel.pk)]

    assert outcomes == ["applied", "stale"]


def test_webhook_twice_is_taken_once():
    parcel, event_id = parcel_of(handed_over()), str(uuid4())

    assert [webhook("parcel.delivered", parcel.pk, event_id) for _ in range(2)] == ["applied", "repeated"]


def test_webhook_for_a_parcel_still_in_the_house_is_stale():
    order = packed()

    assert webhook("parcel.delivered", parcel_of(order).pk) == "stale"
    assert parcel_of(order).state == ParcelState.PACKED


def test_webhook_of_an_unknown_parcel_or_kind_changes_nothing():
    assert webhook("parcel.delivered", uuid4()) == "unknown"
    assert webhook("parcel.eaten", parcel_of(handed_over()).pk) == "unknown"


def test_request_label_after_the_carrier_could_not_be_asked(outside):
    order, book = unlabeled()
    give_up(book.pk)

    with unit_of_work():
        request_label(by=SETUP, parcel=parcel_of(order))
    run_operation(ParcelOperation.objects.get(outcome="requested").pk)

    assert parcel_of(order).labeled_at is not None
    assert entries(Event.PARCEL_LABEL_REQUESTED, case_id=order.pk) == 1


@pytest.mark.parametrize("make", [lambda: unlabeled()[0], packed, handed_over])
def test_request_label_refuses_unless_the_last_try_failed(make):
    order = make()

    with pytest.raises(TransitionRefused), unit_of_work():
        request_label(by=SETUP, parcel=parcel_of(order))


def test_request_label_changes_nothing_if_the_event_cannot_be_written():
    order, book = unlabeled()
    give_up(book.pk)

    with pytest.raises(Exception, match="short token"), unit_of_work():
        request_label(by=UNWRITABLE, parcel=parcel_of(order))

    assert ParcelOperation.objects.count() == 1


def canceled_after_booking(outside):
    order, book = unlabeled()
    run_operation(book.pk)
    with unit_of_work():
        cancel_order(by=SETUP, order=order)
    return order


def test_canceled_parcel_is_called_back(outside):
    order = canceled_after_booking(outside)
    call_back = ParcelOperation.objects.get(kind="call_back")

    run_operation(call_back.pk)
    run_operation(call_back.pk)

    assert outside.books.one("SELECT count(*) AS n FROM booking")["n"] == 0
    assert ParcelOperation.objects.get(kind="call_back").outcome == "succeeded"
    assert entries(Event.PARCEL_CALLED_BACK, case_id=order.pk) == 1


def test_parcel_canceled_while_the_carrier_was_asked_is_called_back(outside):
    """The answer to the booking comes after the cancellation, so the booking is called back then."""
    order, book = unlabeled()
    ParcelOperation.objects.filter(pk=book.pk).update(outcome="unknown", asked_at=timezone.now())
    outside.book(str(book.pk), {"parcel": str(book.parcel_id), "address": {"line1": "somewhere"}})
    with unit_of_work():
        cancel_order(by=SETUP, order=order)
    call_back = ParcelOperation.objects.get(kind="call_back")

    with pytest.raises(TryLater):
        run_operation(call_back.pk)
    run_operation(book.pk)
    run_operation(call_back.pk)

    assert outside.books.one("SELECT count(*) AS n FROM booking")["n"] == 0
    assert ParcelOperation.objects.filter(kind="call_back").count() == 1
    assert not ParcelLabel.objects.exists()


def test_parcel_that_no_carrier_was_asked_about_is_not_called_back(outside):
    order, _book = unlabeled()
    with unit_of_work():
        cancel_order(by=SETUP, order=order)

    assert not ParcelOperation.objects.filter(kind="call_back").exists()


def test_call_back_waits_while_nobody_answers(outside, settings):
    canceled_after_booking(outside)
    settings.SANDBOX_URL = "http://127.0.0.1:9"

    with pytest.raises(TryLater):
        run_operation(ParcelOperation.objects.get(kind="call_back").pk)
