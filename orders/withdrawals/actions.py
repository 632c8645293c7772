"""A purchase that its buyer cancels: declared, acknowledged, goods back, money back. Each locks the order first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from orders.catalogue.actions import return_stock
from orders.lifecycle.actions import CANCELABLE, ON_ITS_WAY, WITHDRAWN, cancel_order
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.models import Order, OrderEvent, OrderLine
from orders.lifecycle.timeline import append_event, lock_order, require_state
from orders.payments.actions import refund_order, refundable
from orders.payments.models import Outcome as Answer
from orders.payments.models import Refund
from orders.withdrawals.deadlines import withdrawal_deadline
from orders.withdrawals.endings import close, note_money_back
from orders.withdrawals.errors import FormOfAnotherOrder, GoodsStillHere, LateUndecided, NotAllowed, NothingLeft, NotInTime
from orders.withdrawals.models import ContractWithdrawal, WithdrawalLine, WithdrawalState
from orders.withdrawals.queries import WITHDRAWABLE, is_given_up, pieces_left, refund_due
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor, Role

Exemption = ContractWithdrawal.Exemption
DECLARERS = (Role.SUPPORT, Role.JOB)
WAITING_FOR_GOODS = (WithdrawalState.DECLARED, WithdrawalState.ACKNOWLEDGED)


@transaction.atomic
def declare_withdrawal(
    *,
    by: Actor,
    order: Order,
    token: UUID,
    quantities: Mapping[UUID, int] | None = None,
    declared_at: datetime | None = None,
) -> ContractWithdrawal:
    """Take in that the buyer cancels the purchase of ``quantities`` (pieces by line; without them of everything left).

    Needs no reason and is never refused for being late, only marked. The same ``token`` gives the same declaration
    again. An order of which nothing is left and nothing has been handed over is simply canceled. ``declared_at`` is for
    a declaration that reached staff by another way, at the moment when it did. Raises ``NotAllowed``, ``NothingLeft``,
    ``FormOfAnotherOrder`` or ``TransitionRefused``.
    """
    if (not by.is_subject(order.subject_id) and by.role not in DECLARERS) or (declared_at and by.role not in DECLARERS):
        raise NotAllowed
    order = lock_order(order.pk)
    earlier = ContractWithdrawal.objects.filter(token=token).first()
    if earlier is not None:
        return _same(earlier, order)
    require_state(order, *WITHDRAWABLE)
    given_up = _checked(quantities, pieces_left(order), order)
    withdrawal = _write(order, token, given_up, declared_at or timezone.now())
    append_event(order, OrderEvent.Kind.WITHDRAWN, by=by)
    record(Event.WITHDRAWAL_DECLARED, by=by, subject=order.subject_id, object=withdrawal, case=order)
    _tell(withdrawal, "orders_withdrawal_received", by=by)
    if order.state in CANCELABLE and not _has_left(order) and is_given_up(order):
        cancel_order(by=by, order=order, reason=WITHDRAWN)
        withdrawal.refresh_from_db()
    return withdrawal


@transaction.atomic
def acknowledge_withdrawal(*, by: Actor, withdrawal: ContractWithdrawal) -> None:
    """Note the moment at which the acknowledgement goes out; later attempts to send it change nothing."""
    if ContractWithdrawal.objects.filter(pk=withdrawal.pk, acknowledged_at=None).update(acknowledged_at=timezone.now()):
        ContractWithdrawal.objects.filter(pk=withdrawal.pk, state=WithdrawalState.DECLARED).update(state=WithdrawalState.ACKNOWLEDGED)
        order = withdrawal.order
        record(Event.WITHDRAWAL_ACKNOWLEDGED, by=by, subject=order.subject_id, object=withdrawal, case=order)


@transaction.atomic
def accept_late_withdrawal(*, by: Actor, withdrawal: ContractWithdrawal, reason: str) -> ContractWithdrawal:
    """Treat a declaration as in time although the deadline had passed; ``reason`` is a ``LateReason``. Raises NotInTime."""
    order, withdrawal = _locked(withdrawal)
    _require(withdrawal, *WAITING_FOR_GOODS)
    if not withdrawal.is_late or withdrawal.late_reason:
        raise NotInTime(withdrawal.state)
    withdrawal.late_reason = ContractWithdrawal.LateReason(reason)
    withdrawal.save(update_fields=["late_reason"])
    record(Event.WITHDRAWAL_ACCEPTED_LATE, by=by, subject=order.subject_id, object=withdrawal, case=order, outcome=withdrawal.late_reason)
    return withdrawal


@transaction.atomic
def receive_goods(*, by: Actor, withdrawal: ContractWithdrawal, to_stock: bool) -> ContractWithdrawal:
    """The buyer's parcel is here; its goods go back on the shelf, or nowhere when they cannot be sold again.

    Raises ``GoodsStillHere`` before the order was handed over, ``LateUndecided`` while nobody has accepted a late one.
    """
    order, withdrawal = _locked(withdrawal)
    _require(withdrawal, *WAITING_FOR_GOODS)
    _require_accepted(withdrawal)
    if not _has_left(order):
        raise GoodsStillHere(withdrawal.state)
    withdrawal.state, withdrawal.goods_back_at = WithdrawalState.GOODS_BACK, timezone.now()
    withdrawal.save(update_fields=["state", "goods_back_at"])
    if to_stock:
        return_stock(_products_of(withdrawal))
    append_event(order, OrderEvent.Kind.GOODS_BACK, by=by)
    record(Event.WITHDRAWAL_GOODS_RECEIVED, by=by, subject=order.subject_id, object=withdrawal, case=order)
    return withdrawal


@transaction.atomic
def refund_withdrawal(*, by: Actor, withdrawal: ContractWithdrawal) -> ContractWithdrawal:
    """Give the money back once the goods are here, and again after the provider declined to.

    What was given back before counts; if nothing is left to give, the withdrawal has its money already.
    """
    order, withdrawal = _locked(withdrawal)
    _require(withdrawal, WithdrawalState.GOODS_BACK)
    if not is_refund_possible(withdrawal):
        raise TransitionRefused(withdrawal.state)
    payment = order.payments.select_for_update().filter(captured__gt=0).first()
    amount = min(refund_due(withdrawal), refundable(payment)) if payment else 0
    if amount == 0:
        note_money_back(order, withdrawal, by=by)
        return withdrawal
    withdrawal.refund = refund_order(by=by, order=order, amount=amount, reason=Refund.Reason.WITHDRAWN)
    withdrawal.save(update_fields=["refund"])
    return withdrawal


@transaction.atomic
def exempt_withdrawal(*, by: Actor, withdrawal: ContractWithdrawal, exemption: str) -> ContractWithdrawal:
    """Answer that the law makes an exception, by its code; the buyer is told which and that they may complain.

    ``too_late`` is for declarations after the deadline alone (``NotInTime``); raises ``TransitionRefused`` once
    money is on its way back.
    """
    order, withdrawal = _locked(withdrawal)
    _require(withdrawal, *WAITING_FOR_GOODS, WithdrawalState.GOODS_BACK)
    if withdrawal.refund_id is not None and not is_refund_possible(withdrawal):
        raise TransitionRefused(withdrawal.state)
    withdrawal.exemption = Exemption(exemption)
    if withdrawal.exemption == Exemption.TOO_LATE and (not withdrawal.is_late or withdrawal.late_reason):
        raise NotInTime(withdrawal.state)
    record(Event.WITHDRAWAL_EXEMPTED, by=by, subject=order.subject_id, object=withdrawal, case=order, outcome=withdrawal.exemption)
    append_event(order, OrderEvent.Kind.WITHDRAWAL_EXEMPT, by=by, code=withdrawal.exemption)
    close(withdrawal, ContractWithdrawal.Outcome.EXEMPT, by=by)
    _tell(withdrawal, "orders_withdrawal_exempt", by=by)
    return withdrawal


def is_refund_possible(withdrawal: ContractWithdrawal) -> bool:
    """True before a refund was asked for, and again once the provider declined it."""
    return withdrawal.refund is None or withdrawal.refund.operation.outcome == Answer.DECLINED


def _same(earlier: ContractWithdrawal, order: Order) -> ContractWithdrawal:
    if earlier.order_id != order.pk:
        raise FormOfAnotherOrder(order.state)
    return earlier


def _checked(quantities: Mapping[UUID, int] | None, left: Mapping[OrderLine, int], order: Order) -> dict[OrderLine, int]:
    """What is given up, by line; NothingLeft for more than is left, for unknown lines and for none at all."""
    if quantities is None:
        wanted = dict(left)
    else:
        lines = {line.pk: line for line in left}
        if any(line_id not in lines for line_id, pieces in quantities.items() if pieces):
            raise NothingLeft(order.state)
        wanted = {lines[line_id]: pieces for line_id, pieces in quantities.items() if pieces}
    if not wanted or any(not 0 < pieces <= left[line] for line, pieces in wanted.items()):
        raise NothingLeft(order.state)
    return wanted


def _write(order: Order, token: UUID, given_up: Mapping[OrderLine, int], declared_at: datetime) -> ContractWithdrawal:
    deadline = withdrawal_deadline(order)
    withdrawal = ContractWithdrawal.objects.create(
        order=order,
        token=token,
        declared_at=declared_at,
        deadline_at=deadline,
        is_late=deadline is not None and declared_at >= deadline,
    )
    lines = [WithdrawalLine(withdrawal=withdrawal, line=line, quantity=pieces) for line, pieces in given_up.items()]
    WithdrawalLine.objects.bulk_create(lines)
    return withdrawal


def _tell(withdrawal: ContractWithdrawal, template: str, *, by: Actor) -> None:
    """Nobody is written to once the order names nobody."""
    order = withdrawal.order
    if order.subject_id is not None:
        queue_mail(template=template, subject=order.subject_id, object=Reference.to(withdrawal), locale=order.locale, by=by)


def _has_left(order: Order) -> bool:
    return order.parcels.filter(state__in=ON_ITS_WAY).exists()


def _products_of(withdrawal: ContractWithdrawal) -> list[tuple[UUID, int]]:
    lines = withdrawal.lines.filter(line__product__isnull=False)
    return [(product_id, pieces) for product_id, pieces in lines.values_list("line__product_id", "quantity")]


def _locked(withdrawal: ContractWithdrawal) -> tuple[Order, ContractWithdrawal]:
    order = lock_order(withdrawal.order_id)
    return order, ContractWithdrawal.objects.select_for_update().get(pk=withdrawal.pk)


def _require(withdrawal: ContractWithdrawal, *states: WithdrawalState) -> None:
    if withdrawal.state not in states:
        raise TransitionRefused(withdrawal.state)


def _require_accepted(withdrawal: ContractWithdrawal) -> None:
    if withdrawal.is_late and not withdrawal.late_reason:
        raise LateUndecided(withdrawal.state)
