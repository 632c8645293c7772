"""Asking for money to move. Each action leaves a committed row; a worker carries it out afterwards."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Sum

from audit.events import Event
from audit.record import Reference, record
from orders.lifecycle.errors import MoneyMoved, RefundTooLarge, TransitionRefused
from orders.lifecycle.models import Order, OrderContact, OrderEvent, OrderState
from orders.lifecycle.timeline import append_event, lock_order, require_state
from orders.payments.errors import NothingToRetry
from orders.payments.models import (
    SETTLED,
    Method,
    OperationKind,
    Outcome,
    Payment,
    PaymentDetail,
    PaymentOperation,
    PaymentState,
    Refund,
)
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor


def request_payment(order: Order, *, by: Actor, method: str) -> Payment:
    """Create a payment for the whole of a locked order and ask the bank to set the money aside."""
    payment = Payment.objects.create(order=order, method=Method(method), currency=order.currency, amount=order.total)
    contact = OrderContact.objects.get(subject=order.person, order=order)
    with open_access(by=by, purpose=Purpose.PAYMENT, subject=order.person, case=Reference.to(order), writes=Event.DATA_COLLECTED) as grant:
        PaymentDetail.objects.create(subject=order.person, payment=payment, payer=grant.open(contact.name))
    _request(payment, OperationKind.AUTHORIZE, payment.amount, by=by)
    return payment


@transaction.atomic
def retry_payment(*, by: Actor, order: Order, method: str) -> Payment:
    """A new payment after the bank declined the last one; ``NothingToRetry`` while one is under way."""
    order = lock_order(order.pk)
    require_state(order, OrderState.PENDING_PAYMENT)
    if order.payments.exclude(state=PaymentState.FAILED).exists():
        raise NothingToRetry
    payment = request_payment(order, by=by, method=method)
    append_event(order, OrderEvent.Kind.PAYMENT_RETRIED, by=by)
    return payment


def request_capture(order: Order, *, by: Actor) -> None:
    """Take what is set aside for a locked order."""
    payment = order.payments.select_for_update().get(state=PaymentState.AUTHORIZED)
    _request(payment, OperationKind.CAPTURE, payment.authorized, by=by)


@transaction.atomic
def retry_capture(*, by: Actor, order: Order) -> None:
    """Take the payment of a packed order again after the provider declined; refused while it is under way or done."""
    order = lock_order(order.pk)
    require_state(order, OrderState.CONFIRMED)
    payment = order.payments.select_for_update().filter(state=PaymentState.AUTHORIZED).first()
    if payment is None or not was_declined(payment, OperationKind.CAPTURE):
        raise TransitionRefused(order.state)
    _request(payment, OperationKind.CAPTURE, payment.authorized, by=by)


@transaction.atomic
def retry_unwinding(*, by: Actor, order: Order) -> None:
    """Give back once more what an ended order still holds, after the provider declined to."""
    order = lock_order(order.pk)
    require_state(order, OrderState.CANCELED, OrderState.EXPIRED)
    if not is_unwinding_stuck(order):
        raise TransitionRefused(order.state)
    unwind_payments(order, by=by)


def was_declined(payment: Payment, kind: OperationKind) -> bool:
    """The last request of this kind was declined, and none is under way or went through since."""
    last = payment.operations.filter(kind=kind).order_by("-id").first()
    return last is not None and last.outcome == Outcome.DECLINED


def is_unwinding_stuck(order: Order) -> bool:
    """Money of an ended order stayed where it was, because the provider declined to move it."""
    giving_back = (OperationKind.VOID, OperationKind.REFUND)
    return any(was_declined(payment, kind) for payment in order.payments.all() for kind in giving_back)


@transaction.atomic
def refund_order(*, by: Actor, order: Order, amount: int, reason: str, left: int | None = None) -> Refund:
    """Decide to give back ``amount`` minor units; ``RefundTooLarge`` beyond what was captured and is not given back.

    ``left`` is what could be given back when somebody decided: ``MoneyMoved`` when it is another sum by now, so
    that a form sent twice gives back once.
    """
    order = lock_order(order.pk)
    payment = order.payments.select_for_update().filter(captured__gt=0).first()
    if payment is None or not 0 < amount <= refundable(payment):
        raise RefundTooLarge(order.state)
    if left is not None and left != refundable(payment):
        raise MoneyMoved(order.state)
    return _refund(order, payment, amount, Refund.Reason(reason), by=by)


def refundable(payment: Payment) -> int:
    """What was captured and neither given back nor about to be."""
    under_way = payment.operations.filter(kind=OperationKind.REFUND).exclude(outcome__in=SETTLED)
    return payment.captured - payment.refunded - (under_way.aggregate(sum=Sum("amount"))["sum"] or 0)


def unwind_payments(order: Order, *, by: Actor) -> None:
    """Give back or let go all money of a locked order that has ended without delivery.

    Called when the order ends and again at every later result, because a bank may answer after the end.
    Does nothing for a payment with an operation under way: its result comes back here.
    """
    for payment in order.payments.select_for_update():
        if payment.operations.exclude(outcome__in=SETTLED).exists():
            continue
        left = payment.captured - payment.refunded
        if left:
            _refund(order, payment, left, Refund.Reason.CANCELED, by=by)
        elif payment.authorized > payment.captured + payment.voided:
            _request(payment, OperationKind.VOID, payment.authorized - payment.captured - payment.voided, by=by)


def has_money_under_way(order: Order) -> bool:
    return PaymentOperation.objects.filter(payment__order=order).exclude(outcome__in=SETTLED).exists()


def _refund(order: Order, payment: Payment, amount: int, reason: Refund.Reason, *, by: Actor) -> Refund:
    refund = Refund.objects.create(payment=payment, amount=amount, currency=payment.currency, reason=reason, role=by.role.value)
    _request(payment, OperationKind.REFUND, amount, by=by, refund=refund)
    append_event(order, OrderEvent.Kind.REFUND_STARTED, by=by, code=reason.value)
    return refund


def _request(payment: Payment, kind: OperationKind, amount: int, *, by: Actor, refund: Refund | None = None) -> PaymentOperation:
    operation = PaymentOperation(payment=payment, kind=kind, amount=amount, refund=refund, outcome=Outcome.REQUESTED)
    operation.enqueue()
    record(Event.PAYMENT_REQUESTED, by=by, subject=payment.order.subject_id, object=operation, case=payment.order, outcome=kind.value)
    return operation
