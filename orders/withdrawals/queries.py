from __future__ import annotations

from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from orders.lifecycle.models import Order, OrderLine, OrderState
from orders.lifecycle.queries import orders_of
from orders.withdrawals.models import OPEN, ContractWithdrawal, WithdrawalLine, WithdrawalState

WITHDRAWABLE = (
    OrderState.PENDING_PAYMENT,
    OrderState.RECEIVED,
    OrderState.CONFIRMED,
    OrderState.COMPLETED,
    OrderState.CLOSED,
)
LONGEST = relativedelta(months=12, days=14 + 2)


def pieces_left(order: Order) -> dict[OrderLine, int]:
    """What nobody has declared to give up yet, by line; lines without any are left out."""
    declared = _quantities(WithdrawalLine.objects.filter(line__order=order))
    left = {line: line.quantity - declared.get(line.pk, 0) for line in order.lines.all()}
    return {line: pieces for line, pieces in left.items() if pieces}


def is_given_up(order: Order) -> bool:
    """True when every piece of the order is given up; what the law exempts stays bought."""
    effective = WithdrawalLine.objects.filter(line__order=order).exclude(withdrawal__outcome=ContractWithdrawal.Outcome.EXEMPT)
    declared = _quantities(effective)
    return all(declared.get(line.pk, 0) == line.quantity for line in order.lines.all())


def refund_due(withdrawal: ContractWithdrawal) -> int:
    """What goes back for one withdrawal, in minor units: its goods, and with the last piece the delivery (Art. 13(1), (2))."""
    order = withdrawal.order
    others = order.withdrawals.exclude(pk=withdrawal.pk).exclude(outcome=ContractWithdrawal.Outcome.EXEMPT)
    is_last = is_given_up(order) and not others.filter(state__in=OPEN).exists()
    goods = sum(given_up.total for given_up in withdrawal.lines.select_related("line"))
    return goods + (order.shipping_total if is_last else 0)


def withdrawals_of(order: Order) -> QuerySet[ContractWithdrawal]:
    lines = Prefetch("lines", WithdrawalLine.objects.select_related("line").order_by("line__position"))
    return order.withdrawals.select_related("refund").prefetch_related(lines).order_by("declared_at", "id")


def orders_to_withdraw_from(subject_id: UUID | None) -> QuerySet[Order]:
    """A person's orders that can still be given up, newest first; whether pieces are left is seen on the order's page.

    A right about which somebody was not informed ends 12 months after its period (Art. 10(1)): older ones are left out.
    """
    reachable = Q(completed_at=None) | Q(completed_at__gt=timezone.now() - LONGEST)
    return orders_of(subject_id).filter(reachable, state__in=WITHDRAWABLE).prefetch_related("lines", "parcels")


def has_open_withdrawal(order: Order) -> bool:
    return order.withdrawals.filter(state__in=OPEN).exists()


def open_withdrawals_of(subject_id: UUID) -> QuerySet[ContractWithdrawal]:
    return ContractWithdrawal.objects.filter(order__subject_id=subject_id, state__in=OPEN)


def open_withdrawals() -> QuerySet[ContractWithdrawal]:
    return ContractWithdrawal.objects.filter(state__in=OPEN).select_related("order").order_by("declared_at")


def late_undecided() -> QuerySet[ContractWithdrawal]:
    return open_withdrawals().filter(is_late=True, late_reason="")


def to_refund() -> QuerySet[ContractWithdrawal]:
    return open_withdrawals().filter(state=WithdrawalState.GOODS_BACK)


def _quantities(lines: QuerySet[WithdrawalLine]) -> dict[UUID, int]:
    declared: dict[UUID, int] = {}
    for line_id, quantity in lines.values_list("line_id", "quantity"):
        declared[line_id] = declared.get(line_id, 0) + quantity
    return declared
