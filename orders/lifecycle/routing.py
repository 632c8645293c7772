"""Whose work an order is, and until when: staff open its person's data for that alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from orders.invoices.models import CreditNote, Invoice
from orders.lifecycle.models import Order, OrderState
from orders.payments.models import SETTLED, PaymentOperation
from orders.withdrawals.models import OPEN, ContractWithdrawal
from privacy.access.cases import CaseState, register_case
from privacy.complaints.queries import live_tickets
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role

FINANCE = frozenset({Role.FINANCE})
FOUND_AT_MOST = 5

IS_NOT_CLOSED = Q(closed_at=None)
IS_COMING_BACK = Exists(ContractWithdrawal.objects.filter(order=OuterRef("pk"), state__in=OPEN))
IS_ASKED_ABOUT = Exists(live_tickets().filter(about_label="orders.order", about_id=OuterRef("pk")))
IS_MOVING_MONEY = Exists(PaymentOperation.objects.filter(payment__order=OuterRef("pk")).exclude(outcome__in=SETTLED))

ORDER_IS_WORK_OF: dict[Role, Q | Exists] = {
    Role.SUPPORT: IS_NOT_CLOSED | Q(IS_COMING_BACK) | Q(IS_ASKED_ABOUT),
    Role.FULFILLMENT: Q(state__in=[OrderState.RECEIVED, OrderState.CONFIRMED]) | Q(IS_COMING_BACK),
    Role.FINANCE: IS_NOT_CLOSED | Q(IS_COMING_BACK) | Q(IS_MOVING_MONEY),
    Role.FRAUD: IS_NOT_CLOSED,
}
WITHDRAWAL_IS_WORK_OF = frozenset({Role.SUPPORT, Role.FULFILLMENT, Role.FINANCE})

ENDS = ("closed_at",)
PACKING_ENDS = ("completed_at", "canceled_at", "expired_at", "closed_at")

Billing = type[Invoice] | type[CreditNote]


def register_routing() -> None:
    register_case("orders.order", order_state, open_orders_of)
    register_case("orders.contractwithdrawal", withdrawal_state, open_withdrawals_for)
    register_case("orders.invoice", partial(billing_state, Invoice, "order__subject_id"), invoices_for)
    register_case("orders.creditnote", partial(billing_state, CreditNote, "invoice__order__subject_id"))


def orders_in_work(role: Role) -> QuerySet[Order]:
    """Orders that this role works on now, newest first."""
    condition = ORDER_IS_WORK_OF.get(role)
    return Order.objects.filter(condition).order_by("-placed_at") if condition is not None else Order.objects.none()


def order_state(order_id: UUID, actor: Actor) -> CaseState | None:
    is_open = orders_in_work(actor.role).filter(pk=order_id).exists()
    ends = PACKING_ENDS if actor.role == Role.FULFILLMENT else ENDS
    return _state(Order, order_id, "subject_id", frozenset(ORDER_IS_WORK_OF), is_open=is_open, ends=ends)


def withdrawal_state(withdrawal_id: UUID, actor: Actor) -> CaseState | None:
    is_open = ContractWithdrawal.objects.filter(pk=withdrawal_id, state__in=OPEN).exists()
    return _state(ContractWithdrawal, withdrawal_id, "order__subject_id", WITHDRAWAL_IS_WORK_OF, is_open=is_open, ends=ENDS)


def billing_state(model: Billing, path: str, id: UUID, actor: Actor) -> CaseState | None:
    """Open to finance for as long as the law keeps it, and for nothing else."""
    return _state(model, id, path, FINANCE, is_open=True, purposes=frozenset({Purpose.LEGAL}))


def open_orders_of(actor: Actor, subject_id: UUID) -> Iterable[tuple[UUID, str]]:
    found = orders_in_work(actor.role).filter(subject_id=subject_id)
    return _in_words(found.values_list("pk", "code"), lambda code: _("order %(code)s") % {"code": code})


def open_withdrawals_for(actor: Actor, subject_id: UUID) -> Iterable[tuple[UUID, str]]:
    if actor.role not in WITHDRAWAL_IS_WORK_OF:
        return []
    found = ContractWithdrawal.objects.filter(order__subject_id=subject_id, state__in=OPEN).order_by("-declared_at")
    return _in_words(found.values_list("pk", "order__code"), lambda code: _("canceled purchase %(code)s") % {"code": code})


def invoices_for(actor: Actor, subject_id: UUID) -> Iterable[tuple[UUID, str]]:
    if actor.role not in FINANCE:
        return []
    found = Invoice.objects.filter(order__subject_id=subject_id).order_by("-issued_at")[:FOUND_AT_MOST]
    return [(invoice.pk, _("invoice %(number)s") % {"number": invoice.label}) for invoice in found]


def _state(
    model: type[Order] | type[ContractWithdrawal] | Billing,
    id: UUID,
    path: str,
    roles: frozenset[Role],
    *,
    is_open: bool,
    purposes: frozenset[Purpose] = frozenset(Purpose),
    ends: Sequence[str] = (),
) -> CaseState | None:
    """None for a case that does not exist, or that is nobody's any more. ``ends`` are the moments that can end it."""
    subject_id, *moments = model._base_manager.filter(pk=id).values_list(path, *ends).first() or [None]
    if subject_id is None:
        return None
    ended_at = None if is_open else next((at for at in moments if at), None)
    return CaseState(frozenset({subject_id}), roles, roles if is_open else frozenset(), purposes=purposes, ended_at=ended_at)


def _in_words(rows: QuerySet[Any, tuple[UUID, str]], words: Callable[[str], str]) -> list[tuple[UUID, str]]:
    return [(id, words(code)) for id, code in rows[:FOUND_AT_MOST]]
