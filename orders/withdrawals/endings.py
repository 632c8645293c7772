"""How withdrawals end by what becomes of their order and its money; called with the order locked."""

from __future__ import annotations

from django.utils import timezone

from audit.events import Event
from audit.record import record
from orders.lifecycle.models import Order
from orders.payments.models import Refund
from orders.withdrawals.models import OPEN, ContractWithdrawal, WithdrawalState
from privacy.policy.roles import Actor

Outcome = ContractWithdrawal.Outcome


def end_with_cancellation(order: Order, *, by: Actor) -> None:
    """The order was canceled before it left: nothing comes back, and the payments are unwound with the order."""
    for withdrawal in order.withdrawals.select_for_update().filter(state__in=OPEN):
        close(withdrawal, Outcome.CANCELED, by=by)


def end_with_refund(order: Order, refund: Refund, *, by: Actor) -> None:
    """The provider has given the money back."""
    withdrawal = order.withdrawals.select_for_update().filter(refund=refund).first()
    if withdrawal is not None:
        note_money_back(order, withdrawal, by=by)


def note_money_back(order: Order, withdrawal: ContractWithdrawal, *, by: Actor) -> None:
    """All of its money is back; it closes with its order, or at once when that is closed."""
    withdrawal.refunded_at = timezone.now()
    if order.closed_at is not None:
        close(withdrawal, Outcome.REFUNDED, by=by)
        return
    withdrawal.state, withdrawal.outcome = WithdrawalState.REFUNDED, Outcome.REFUNDED
    withdrawal.save(update_fields=["state", "outcome", "refunded_at"])


def close_with_order(order: Order, *, by: Actor) -> None:
    for withdrawal in order.withdrawals.select_for_update().filter(state=WithdrawalState.REFUNDED):
        close(withdrawal, Outcome.REFUNDED, by=by)


def close(withdrawal: ContractWithdrawal, outcome: str, *, by: Actor) -> None:
    withdrawal.state, withdrawal.outcome, withdrawal.closed_at = WithdrawalState.CLOSED, outcome, timezone.now()
    withdrawal.save(update_fields=["state", "outcome", "closed_at", "refunded_at", "exemption"])
    order = withdrawal.order
    record(Event.WITHDRAWAL_CLOSED, by=by, subject=order.subject_id, object=withdrawal, case=order, outcome=outcome)
