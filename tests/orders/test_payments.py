"""Money: carried out once whatever the wire does, and never more than there is."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.record import request_id
from orders.invoices.models import Invoice, InvoiceParty
from orders.lifecycle.actions import cancel_order, close_order
from orders.lifecycle.errors import RefundTooLarge, TransitionRefused
from orders.lifecycle.models import OrderState
from orders.lifecycle.queries import operations_to_look_into
from orders.lifecycle.timers import advance_timers
from orders.payments.actions import refund_order, retry_capture, retry_payment, retry_unwinding
from orders.payments.errors import NothingToRetry
from orders.payments.models import (
    LedgerEntry,
    OperationKind,
    Outcome,
    Payment,
    PaymentDetail,
    PaymentOperation,
    PaymentState,
    Refund,
    WebhookEvent,
)
from orders.payments.operations import CASHIER, give_up, run_operation
from orders.payments.results import apply_answer, receive_payment_webhook
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.purposes import Purpose
from privacy.jobs.actions import perform_job
from privacy.jobs.errors import TryLater
from privacy.policy.roles import Actor, Role
from privacy.sharing.errors import AgreementMissing
from privacy.sharing.models import Disclosure
from tests.orders.factories import (
    SETUP,
    UNWRITABLE,
    actor,
    confirmed,
    entries,
    fresh,
    handed_over,
    kinds,
    make_customer,
    operation,
    packed,
    place,
    received,
    settle,
)

pytestmark = pytest.mark.django_db


def payment_of(order) -> Payment:
    return Payment.objects.filter(order=order).latest("created_at")


def webhook(kind, key, event_id=None):
    with unit_of_work():
        return receive_payment_webhook(by=CASHIER, event_id=event_id or str(uuid4()), kind=kind, key=key)


def refund(order, amount, by=None, reason="goodwill"):
    with unit_of_work():
        return refund_order(by=by or actor(Role.FINANCE), order=order, amount=amount, reason=reason)


# Carrying out


def test_run_operation_asks_and_learns_the_result(outside):
    order = place()
    asked = operation(order, "authorize")

    run_operation(asked.pk)
    assert operation(order, "authorize").outcome == Outcome.PENDING
    outside.settle()
    run_operation(asked.pk)

    assert fresh(order).state == OrderState.RECEIVED
    assert payment_of(order).authorized == order.total


@pytest.mark.promise("USE-4")
def test_run_operation_tells_the_provider_the_payer_alone_and_enters_it(outside):
    order = place()

    run_operation(operation(order, "authorize").pk)

    disclosure = Disclosure.objects.get(subject_id=order.subject_id)
    assert disclosure.recipient.slug == "payments"
    assert disclosure.fields == ["orders.paymentdetail.payer"]


def test_run_operation_keeps_the_name_of_the_method_sealed(outside):
    order = place()
    run_operation(operation(order, "authorize").pk)

    detail = PaymentDetail.objects.get(payment__order=order)

    me = Actor(Role.CUSTOMER, order.subject_id)
    with unit_of_work(), open_access(by=me, purpose=Purpose.PAYMENT, subject=order.subject) as grant:
        assert grant.open(detail.label) == "Visa ending 4242"


def test_run_operation_of_a_settled_one_does_nothing(nobody_outside):
    order = received()

    run_operation(operation(order, "authorize").pk)

    assert LedgerEntry.objects.count() == 1


def test_run_operation_that_timed_out_is_found_and_not_repeated(outside, settings):
    settings.ORDERS_OUTSIDE_TIMEOUT = 0.3
    order = place(method="slow")
    asked = operation(order, "authorize")

    with pytest.raises(TryLater):
        run_operation(asked.pk)
    assert operation(order, "authorize").outcome == Outcome.UNKNOWN
    outside.settle()
    run_operation(asked.pk)

    assert fresh(order).state == OrderState.RECEIVED
    assert Disclosure.objects.count() == 1
    assert outside.books.one("SELECT count(*) AS n FROM operation")["n"] == 1


def test_run_operation_waits_while_nobody_answers(nobody_outside):
    order = place()

    with pytest.raises(TryLater):
        run_operation(operation(order, "authorize").pk)

    assert fresh(order).state == OrderState.PENDING_PAYMENT


def test_run_operation_declined_leaves_the_order_waiting(outside):
    order = place(method="declined")
    asked = operation(order, "authorize")
    run_operation(asked.pk)
    outside.settle()

    run_operation(asked.pk)

    assert payment_of(order).state == PaymentState.FAILED
    assert fresh(order).state == OrderState.PENDING_PAYMENT
    assert kinds(order) == ["placed", "payment_declined"]
    assert entries(Event.PAYMENT_REFUSED, case_id=order.pk) == 1


@pytest.mark.promise("USE-5")
def test_run_operation_refuses_a_provider_whose_agreement_has_lapsed(outside, monkeypatch):
    order = place()
    monkeypatch.setattr("privacy.sharing.actions.agreements_in_force", lambda recipient: [])

    with pytest.raises(AgreementMissing):
        run_operation(operation(order, "authorize").pk)

    assert outside.books.one("SELECT count(*) AS n FROM operation")["n"] == 0
    assert entries(Event.DISCLOSURE_REFUSED, subject_id=order.subject_id) == 1


@pytest.mark.promise("RIGHTS-4")
def test_run_operation_refuses_once_the_permission_is_withdrawn(outside):
    user = make_customer()
    order = place(user)
    with unit_of_work():
        withdraw_consent(by=user.actor, subject=user.subject, purpose=Purpose.PAYMENT, locale="en")

    for _ in range(PaymentOperation.MAX_ATTEMPTS):
        PaymentOperation.objects.update(due_at=timezone.now())
        perform_job("orders.paymentoperation", operation(order, "authorize").pk)

    assert outside.books.one("SELECT count(*) AS n FROM operation")["n"] == 0
    assert payment_of(order).state == PaymentState.FAILED


def test_give_up_leaves_an_operation_alone_that_the_provider_may_know(outside):
    order = place()
    run_operation(operation(order, "authorize").pk)

    give_up(operation(order, "authorize").pk)

    assert operation(order, "authorize").outcome == Outcome.PENDING


def test_timers_ask_again_when_the_answer_got_lost(outside):
    order = place()
    asked = operation(order, "authorize")
    perform_job("orders.paymentoperation", asked.pk)
    outside.settle()
    PaymentOperation.objects.update(asked_at=timezone.now() - timedelta(minutes=10))

    assert advance_timers(by=SETUP)["asked_again"] == 1
    perform_job("orders.paymentoperation", asked.pk)

    assert fresh(order).state == OrderState.RECEIVED


# Results


def test_apply_answer_twice_moves_money_once():
    order = place()
    asked = operation(order, "authorize")

    first, second = (apply_answer(by=CASHIER, operation_id=asked.pk, state="succeeded") for _ in range(2))

    assert (first, second) == (True, False)
    assert payment_of(order).authorized == order.total
    assert LedgerEntry.objects.count() == 1
    assert entries(Event.PAYMENT_AUTHORIZED, case_id=order.pk) == 1


def test_apply_answer_changes_nothing_if_the_event_cannot_be_written():
    order = place()

    with pytest.raises(Exception, match="short token"):
        apply_answer(by=UNWRITABLE, operation_id=operation(order, "authorize").pk, state="succeeded")

    assert payment_of(order).authorized == 0
    assert fresh(order).state == OrderState.PENDING_PAYMENT
    assert not LedgerEntry.objects.exists()


def test_capture_issues_one_invoice_with_the_party_copied():
    order = packed()

    invoice = Invoice.objects.get(order=order)
    party = InvoiceParty.objects.get(invoice=invoice)

    assert (invoice.total, invoice.tax_total) == (order.total, order.tax_total)
    finance = actor(Role.FINANCE)
    with unit_of_work(), open_access(by=finance, purpose=Purpose.LEGAL, subject=order.subject, reason="audit", case=party.invoice) as grant:
        assert grant.open(party.name) == "Marker Addressee"
        assert grant.open(party.address) == "Markerstreet 7\n10115 Markertown\nGermany"


def test_capture_after_the_permission_to_deliver_was_withdrawn_bills_name_and_country():
    user = make_customer(name="Marker Buyer")
    order = packed(is_paid=False, user=user)
    with unit_of_work():
        withdraw_consent(by=user.actor, subject=user.subject, purpose=Purpose.DISPATCH, locale="en")

    settle(order, "capture")

    party = InvoiceParty.objects.get(invoice__order=order)
    assert payment_of(order).captured == order.total
    finance = actor(Role.FINANCE)
    with unit_of_work(), open_access(by=finance, purpose=Purpose.LEGAL, subject=order.subject, reason="audit", case=party.invoice) as grant:
        assert (grant.open(party.name), grant.open(party.address)) == ("Marker Buyer", "Germany")


def test_invoice_numbers_have_no_gaps():
    numbers = [Invoice.objects.get(order=packed()).number for _ in range(3)]

    assert numbers == [1, 2, 3]


@pytest.mark.promise("RIGHTS-8")
def test_invoice_party_stays_eight_years_after_the_end_of_its_year():
    party = InvoiceParty.objects.get(invoice__order=packed())

    leaves = party.lifetime.leaves_at(party)

    assert leaves is not None
    assert (leaves.year, leaves.month, leaves.day) == (party.invoice.issued_at.year + 9, 1, 1)
    assert "147" in party.lifetime.floor.citation


def test_ledger_sums_equal_the_caches():
    order = handed_over()
    refund(order, 100)
    settle(order, "refund")
    payment = payment_of(order)

    sums = dict(LedgerEntry.objects.filter(payment=payment).values_list("kind").annotate(Sum("amount")))

    assert sums == {"authorize": payment.authorized, "capture": payment.captured, "refund": payment.refunded}


def test_declined_capture_leaves_the_parcel_waiting():
    order = packed(is_paid=False)

    settle(order, "capture", "declined")

    assert kinds(order)[-1] == "payment_failed"
    assert not Invoice.objects.exists()


# Webhooks


def test_webhook_moves_money():
    order = place()

    assert webhook("authorize.succeeded", operation(order, "authorize").pk) == "applied"
    assert fresh(order).state == OrderState.RECEIVED


def test_webhook_twice_is_taken_once():
    order, event_id = place(), str(uuid4())
    key = operation(order, "authorize").pk

    outcomes = [webhook("authorize.succeeded", key, event_id) for _ in range(2)]

    assert outcomes == ["applied", "repeated"]
    assert LedgerEntry.objects.count() == WebhookEvent.objects.count() == 1


def test_webhook_after_the_answer_is_stale():
    order = received()

    assert webhook("authorize.declined", operation(order, "authorize").pk) == "stale"
    assert fresh(order).state == OrderState.RECEIVED


@pytest.mark.parametrize("kind", ["authorize.exploded", "capture.succeeded", "rubbish", ""])
def test_webhook_of_an_unknown_kind_changes_nothing(kind):
    order = place()

    assert webhook(kind, operation(order, "authorize").pk) == "unknown"
    assert fresh(order).state == OrderState.PENDING_PAYMENT


def test_webhook_of_an_unknown_operation_changes_nothing():
    assert webhook("authorize.succeeded", uuid4()) == "unknown"


# Paying again


def test_retry_payment_after_a_decline():
    order = settle(place(method="declined"), "authorize", "declined")

    with unit_of_work():
        retry_payment(by=Actor(Role.CUSTOMER, order.subject_id), order=order, method="card")
    settle(order, "authorize")

    assert fresh(order).state == OrderState.RECEIVED
    assert order.payments.count() == 2


def test_retry_payment_refuses_while_one_is_under_way():
    order = place()

    with pytest.raises(NothingToRetry), unit_of_work():
        retry_payment(by=Actor(Role.CUSTOMER, order.subject_id), order=order, method="card")


def test_retry_payment_refuses_a_paid_order():
    order = received()

    with pytest.raises(TransitionRefused), unit_of_work():
        retry_payment(by=Actor(Role.CUSTOMER, order.subject_id), order=order, method="card")


@pytest.mark.django_db(transaction=True)
def test_operation_whose_giving_up_was_interrupted_is_given_up_by_the_next_worker():
    order = place()
    key = operation(order, "authorize").pk
    PaymentOperation.objects.filter(pk=key).update(state="running", attempts=PaymentOperation.MAX_ATTEMPTS)
    unwritable = request_id.set("no id at all")
    with pytest.raises(NotRecordable):
        perform_job("orders.paymentoperation", key)
    request_id.reset(unwritable)

    perform_job("orders.paymentoperation", key)

    given_up = operation(order, "authorize")
    assert (given_up.state, given_up.outcome) == ("failed", "declined")
    assert payment_of(order).state == PaymentState.FAILED


# Refunds


def test_refund_order_gives_back_a_part():
    order = handed_over()

    refund(order, 700)
    settle(order, "refund")

    assert payment_of(order).refunded == 700
    assert kinds(order)[-3:] == ["refund_started", "refunded", "credited"]
    assert entries(Event.PAYMENT_REFUNDED, case_id=order.pk) == 1


def test_refund_order_counts_what_is_under_way():
    order = handed_over()
    refund(order, order.total - 1)

    with pytest.raises(RefundTooLarge):
        refund(order, 2)

    assert Refund.objects.count() == 1


def test_refund_order_counts_again_what_the_bank_declined():
    order = handed_over()
    refund(order, order.total)
    settle(order, "refund", "declined")

    refund(order, order.total)

    assert Refund.objects.count() == 2


@pytest.mark.parametrize("amount", [0, -5, 10**9])
def test_refund_order_refuses_sums_out_of_range(amount):
    with pytest.raises(RefundTooLarge):
        refund(handed_over(), amount)


def test_refund_order_refuses_before_the_money_is_taken():
    with pytest.raises(RefundTooLarge):
        refund(confirmed(), 1)


def test_refund_order_changes_nothing_if_the_event_cannot_be_written():
    order = handed_over()

    with pytest.raises(Exception, match="short token"):
        refund(order, 100, by=UNWRITABLE)

    assert not Refund.objects.exists()


def test_declined_void_of_a_canceled_order_is_not_asked_for_ever():
    order = received()
    with unit_of_work():
        cancel_order(by=SETUP, order=order)

    settle(order, "void", "declined")

    assert PaymentOperation.objects.filter(kind=OperationKind.VOID).count() == 1


def test_canceled_order_stays_open_while_its_money_is_stuck():
    order = received()
    with unit_of_work():
        cancel_order(by=SETUP, order=order)
    settle(order, "void", "declined")

    assert advance_timers(by=SETUP)["closed"] == 0
    with pytest.raises(TransitionRefused), unit_of_work():
        close_order(by=SETUP, order=order)
    retry(retry_unwinding, order)
    settle(order, "void")

    assert advance_timers(by=SETUP)["closed"] == 1


# Asking again


def retry(action, order, by=None):
    with unit_of_work():
        action(by=by or actor(Role.FINANCE), order=order)


def test_retry_capture_after_a_decline():
    order = settle(packed(is_paid=False), "capture", "declined")
    assert operations_to_look_into().count() == 1

    retry(retry_capture, order)
    assert operations_to_look_into().count() == 0
    settle(order, "capture")

    assert payment_of(order).captured == order.total


@pytest.mark.parametrize("make", [confirmed, packed, lambda: packed(is_paid=False)])
def test_retry_capture_refuses_unless_it_was_declined(make):
    with pytest.raises(TransitionRefused):
        retry(retry_capture, make())


def test_retry_unwinding_after_a_decline():
    order = received()
    with unit_of_work():
        cancel_order(by=SETUP, order=order)
    settle(order, "void", "declined")

    retry(retry_unwinding, order)
    settle(order, "void")

    assert payment_of(order).voided == order.total


@pytest.mark.parametrize("make", [received, handed_over])
def test_retry_unwinding_refuses_an_order_that_has_not_ended(make):
    with pytest.raises(TransitionRefused):
        retry(retry_unwinding, make())


def test_retry_unwinding_refuses_while_money_is_on_its_way_back():
    order = received()
    with unit_of_work():
        cancel_order(by=SETUP, order=order)

    with pytest.raises(TransitionRefused):
        retry(retry_unwinding, order)

    assert PaymentOperation.objects.filter(kind=OperationKind.VOID).count() == 1


@pytest.mark.parametrize("action", [retry_capture, retry_unwinding])
def test_asking_again_changes_nothing_if_the_event_cannot_be_written(action):
    if action is retry_capture:
        order = settle(packed(is_paid=False), "capture", "declined")
    else:
        order = received()
        with unit_of_work():
            cancel_order(by=SETUP, order=order)
        settle(order, "void", "declined")
    before = PaymentOperation.objects.count()

    with pytest.raises(Exception, match="short token"):
        retry(action, order, by=UNWRITABLE)

    assert PaymentOperation.objects.count() == before
