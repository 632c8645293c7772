"""What happens to orders by the clock alone, in small batches; every step is one action and safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from orders.lifecycle.actions import close_order, expire_order
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.models import Order, OrderState
from orders.lifecycle.queries import stuck_payments
from orders.payments.operations import ask_again
from orders.withdrawals.queries import open_withdrawals
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor

BATCH = 200
ANSWER_OVERDUE = timedelta(minutes=2)


def advance_timers(*, by: Actor) -> dict[str, int]:
    """Expire unpaid orders, close finished ones, ask again for overdue answers; returns how many of each."""
    return {
        "expired": expire_unpaid_orders(by=by),
        "closed": close_finished_orders(by=by),
        "asked_again": ask_again(asked_before=timezone.now() - ANSWER_OVERDUE, limit=BATCH),
    }


def expire_unpaid_orders(*, by: Actor) -> int:
    limit = timezone.now() - settings.ORDERS_PAYMENT_WINDOW
    due = Order.objects.filter(state=OrderState.PENDING_PAYMENT, placed_at__lt=limit)
    return _each(due.order_by("placed_at")[:BATCH], lambda order: expire_order(by=by, order=order))


def close_finished_orders(*, by: Actor) -> int:
    """Delivered orders after their waiting time, canceled ones as soon as the money is back."""
    limit = timezone.now() - settings.ORDERS_CLOSE_AFTER
    due = Order.objects.filter(closed_at__isnull=True).filter(
        Q(state=OrderState.COMPLETED, completed_at__lt=limit) | Q(state=OrderState.CANCELED)
    )
    # What stays open for long must not fill the batch.
    due = due.exclude(Exists(open_withdrawals().filter(order=OuterRef("pk"))))
    due = due.exclude(state=OrderState.CANCELED, payments__in=stuck_payments())
    return _each(due.order_by("placed_at")[:BATCH], lambda order: close_order(by=by, order=order))


def _each(orders: Iterable[Order], step: Callable[[Order], Order]) -> int:
    done = 0
    for order in orders:
        try:
            with unit_of_work():
                step(order)
        except TransitionRefused:
            continue  # somebody moved it first, or its money is still under way
        done += 1
    return done
