"""Carrying out a payment operation: decide and commit, call the provider, commit what it said.

A call that timed out may have happened. It is never repeated blindly: the provider is asked for the key first,
and the repetition carries the same key.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.record import Reference
from orders.payments.gateway import Answer, GatewayTimeout, GatewayUnreachable, PaymentGateway, payment_gateway
from orders.payments.models import SETTLED, OperationKind, Outcome, PaymentDetail, PaymentOperation
from orders.payments.results import apply_answer
from privacy.access.gate import unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.jobs.errors import TryLater
from privacy.policy.roles import Actor
from privacy.sharing.actions import disclose

CASHIER = Actor.job("payments")
RECIPIENT = "payments"
ASK_AGAIN_SECONDS = 5
UNREACHABLE_SECONDS = 15


def run_operation(operation_id: UUID) -> None:
    """Bring one operation to an answer; raises ``TryLater`` while the provider gives none. Safe to repeat."""
    gateway = payment_gateway()
    operation = PaymentOperation.objects.select_related("payment").get(pk=operation_id)
    if operation.outcome in SETTLED:
        return
    answer = _attempt(lambda: gateway.find(key=str(operation.pk)), operation) if operation.asked_at else None
    if answer is None:
        answer = _ask(gateway, operation)
    apply_answer(by=CASHIER, operation_id=operation.pk, state=answer.state, label=answer.label)


def give_up(operation_id: UUID) -> None:
    """Settle an operation that never reached the provider, because telling it was refused."""
    operation = PaymentOperation.objects.get(pk=operation_id)
    if operation.asked_at is None:
        apply_answer(by=CASHIER, operation_id=operation_id, state=Outcome.DECLINED)


def ask_again(*, asked_before: datetime, limit: int) -> int:
    """Send operations to a worker again whose result never came; returns how many.

    A webhook that got lost would otherwise leave money set aside forever.
    """
    stuck = PaymentOperation.objects.filter(asked_at__lt=asked_before).exclude(outcome__in=SETTLED)
    stuck = stuck.exclude(state__in=PaymentOperation.OPEN).order_by("asked_at")
    with transaction.atomic():
        operations = list(stuck.select_for_update(skip_locked=True)[:limit])
        for operation in operations:
            operation.state = PaymentOperation.State.QUEUED
            operation.attempts = 0
            operation.due_at = timezone.now()
            operation.enqueue()
    return len(operations)


def _ask(gateway: PaymentGateway, operation: PaymentOperation) -> Answer:
    call: dict[str, Any] = {
        "key": str(operation.pk),
        "payment": str(operation.payment_id),
        "amount": operation.amount,
        "currency": operation.payment.currency,
    }
    payer = _prepare(operation)
    if operation.kind == OperationKind.AUTHORIZE:
        answer = _attempt(lambda: gateway.authorize(**call, method=operation.payment.method, payer=payer), operation)
    else:
        answer = _attempt(lambda: getattr(gateway, operation.kind)(**call), operation)
    if answer is None:
        raise GatewayUnreachable
    return answer


def _prepare(operation: PaymentOperation) -> str:
    """Commit that the provider is about to be asked, and what of the person it is told: the payer's name."""
    with unit_of_work():
        _set_outcome(operation, Outcome.SENDING, asked_at=timezone.now())
        if operation.kind != OperationKind.AUTHORIZE:
            return ""
        order = operation.payment.order
        detail = PaymentDetail.objects.get(subject=order.person, payment_id=operation.payment_id)
        values = {"payer": detail.payer}
        return disclose(
            by=CASHIER,
            recipient=RECIPIENT,
            purpose=Purpose.PAYMENT,
            subject=order.person,
            values=values,
            case=Reference.to(order),
        )["payer"]


def _attempt(call: Callable[[], Answer | None], operation: PaymentOperation) -> Answer | None:
    try:
        return call()
    except GatewayTimeout:
        with unit_of_work():
            _set_outcome(operation, Outcome.UNKNOWN)
        raise TryLater(ASK_AGAIN_SECONDS) from None
    except GatewayUnreachable:
        raise TryLater(UNREACHABLE_SECONDS) from None


def _set_outcome(operation: PaymentOperation, outcome: Outcome, **values: object) -> None:
    """Write unless a webhook settled the operation in the meantime."""
    open_row = PaymentOperation.objects.filter(pk=operation.pk).exclude(outcome__in=SETTLED)
    open_row.update(outcome=outcome, **values)
