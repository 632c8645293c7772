"""What the payment provider answered, applied once, whatever way and however often it arrives."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from audit.events import Event
from audit.record import Reference, record
from orders.invoices.actions import issue_invoice
from orders.invoices.credits import issue_credit_note
from orders.lifecycle.actions import announce, receive_order
from orders.lifecycle.models import Order, OrderEvent, OrderState
from orders.lifecycle.timeline import append_event, lock_order
from orders.payments.actions import unwind_payments
from orders.payments.models import (
    SETTLED,
    LedgerEntry,
    OperationKind,
    Outcome,
    Payment,
    PaymentDetail,
    PaymentOperation,
    PaymentState,
    WebhookEvent,
)
from orders.withdrawals.endings import end_with_refund
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.vault.errors import KeyDestroyed

PROVIDER = "payments"


def apply_answer(*, by: Actor, operation_id: UUID, state: str, label: str = "") -> bool:
    """Record an answer from the provider in a unit of work; False when it tells nothing new."""
    with unit_of_work():
        applied = apply_result(by=by, operation_id=operation_id, state=state)
        if label:
            _keep_label(by, operation_id, label)
    return applied


@transaction.atomic
def apply_result(*, by: Actor, operation_id: UUID, state: str) -> bool:
    """Move money in the books for ``pending``, ``succeeded`` or ``declined``; False if it was settled already."""
    order = lock_order(PaymentOperation.objects.values_list("payment__order_id", flat=True).get(pk=operation_id))
    operation = PaymentOperation.objects.select_for_update().get(pk=operation_id)
    if operation.outcome in SETTLED:
        return False
    operation.outcome = Outcome(state)
    operation.save(update_fields=["outcome"])
    if operation.outcome == Outcome.PENDING:
        return True
    payment = Payment.objects.select_for_update().get(pk=operation.payment_id)
    if operation.outcome == Outcome.SUCCEEDED:
        LedgerEntry.objects.create(
            payment=payment,
            operation=operation,
            kind=operation.kind,
            amount=operation.amount,
            currency=payment.currency,
        )
        _SUCCEEDED[OperationKind(operation.kind)](order, payment, operation, by)
    else:
        _declined(order, payment, operation, by)
    # A declined void or refund is not asked again by itself: that would go round forever.
    is_answered = operation.outcome == Outcome.SUCCEEDED or operation.kind in (
        OperationKind.AUTHORIZE,
        OperationKind.CAPTURE,
    )
    if is_answered and order.state in (OrderState.CANCELED, OrderState.EXPIRED):
        unwind_payments(order, by=by)
    return True


@transaction.atomic
def receive_payment_webhook(*, by: Actor, event_id: str, kind: str, key: UUID) -> str:
    """Take in a signed message such as ``capture.succeeded``; a repeated or late one changes nothing.

    Returns ``applied``, ``stale``, ``unknown`` or ``repeated``.
    """
    event, is_new = WebhookEvent.objects.get_or_create(provider=PROVIDER, event_id=event_id, defaults={"kind": kind, "outcome": "unknown"})
    if not is_new:
        return "repeated"
    asked, _, state = kind.partition(".")
    known = state in SETTLED and PaymentOperation.objects.filter(pk=key, kind=asked).exists()
    if known:
        applied = apply_result(by=by, operation_id=key, state=state)
        event.outcome = "applied" if applied else "stale"
        event.save(update_fields=["outcome"])
    return event.outcome


def _authorized(order: Order, payment: Payment, operation: PaymentOperation, by: Actor) -> None:
    payment.authorized += operation.amount
    _set_state(payment, PaymentState.AUTHORIZED)
    _record(Event.PAYMENT_AUTHORIZED, order, operation, by)
    receive_order(order, by=by)


def _captured(order: Order, payment: Payment, operation: PaymentOperation, by: Actor) -> None:
    payment.captured += operation.amount
    _set_state(payment, PaymentState.CAPTURED)
    append_event(order, OrderEvent.Kind.PAYMENT_CAPTURED, by=by)
    _record(Event.PAYMENT_CAPTURED, order, operation, by)
    issue_invoice(order, by=by)


def _voided(order: Order, payment: Payment, operation: PaymentOperation, by: Actor) -> None:
    payment.voided += operation.amount
    _set_state(payment, PaymentState.VOIDED)
    append_event(order, OrderEvent.Kind.PAYMENT_VOIDED, by=by)
    _record(Event.PAYMENT_VOIDED, order, operation, by)


def _refunded(order: Order, payment: Payment, operation: PaymentOperation, by: Actor) -> None:
    payment.refunded += operation.amount
    _set_state(payment, PaymentState.CAPTURED)
    append_event(order, OrderEvent.Kind.REFUNDED, by=by)
    _record(Event.PAYMENT_REFUNDED, order, operation, by)
    if operation.refund is not None:
        issue_credit_note(order, operation.refund, by=by)
        end_with_refund(order, operation.refund, by=by)
    announce(order, "orders_refunded", by=by, occasion=str(operation.pk))


_SUCCEEDED: dict[OperationKind, Callable[[Order, Payment, PaymentOperation, Actor], None]] = {
    OperationKind.AUTHORIZE: _authorized,
    OperationKind.CAPTURE: _captured,
    OperationKind.VOID: _voided,
    OperationKind.REFUND: _refunded,
}


def _declined(order: Order, payment: Payment, operation: PaymentOperation, by: Actor) -> None:
    _record(Event.PAYMENT_REFUSED, order, operation, by)
    if operation.kind != OperationKind.AUTHORIZE:
        append_event(order, OrderEvent.Kind.PAYMENT_FAILED, by=by, code=operation.kind)
        return
    _set_state(payment, PaymentState.FAILED)
    append_event(order, OrderEvent.Kind.PAYMENT_DECLINED, by=by)
    if order.state == OrderState.PENDING_PAYMENT:
        announce(order, "orders_payment_declined", by=by, occasion=str(operation.pk))


def _set_state(payment: Payment, state: PaymentState) -> None:
    payment.state = state
    payment.save(update_fields=["state", "authorized", "captured", "voided", "refunded"])


def _record(event: Event, order: Order, operation: PaymentOperation, by: Actor) -> None:
    record(event, by=by, subject=order.subject_id, object=operation, case=order)


def _keep_label(by: Actor, operation_id: UUID, label: str) -> None:
    """Keep "Visa ending 4242" for the payer to recognize; not kept once the permission or the person is gone."""
    payment = Payment.objects.select_related("order__subject").get(operations=operation_id)
    order = payment.order
    detail = PaymentDetail.objects.filter(subject=order.person, payment=payment).first()
    if detail is None or detail.label is not None:
        return
    try:
        with (
            transaction.atomic(),
            open_access(by=by, purpose=Purpose.PAYMENT, subject=order.person, case=Reference.to(order), writes=Event.DATA_COLLECTED),
        ):
            detail.label = label
            detail.save(update_fields=["label"])
    except (AccessDenied, KeyDestroyed):
        return
