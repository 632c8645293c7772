"""Every change of an order begins with its lock and ends with one step in its timeline."""

from __future__ import annotations

from uuid import UUID

from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.models import Order, OrderEvent, OrderState
from privacy.policy.roles import Actor


def lock_order(order_id: UUID) -> Order:
    """The order as it is now, locked until the transaction ends.

    Whoever locks rows of one order takes the order first, then payment, then parcel, then stock; any other
    way round deadlocks against a cancellation.
    """
    return Order.objects.select_for_update().get(pk=order_id)


def require_state(order: Order, *allowed: OrderState) -> None:
    if order.state not in allowed:
        raise TransitionRefused(order.state)


def append_event(order: Order, kind: OrderEvent.Kind, *, by: Actor, code: str = "") -> OrderEvent:
    """Add a step; ``code`` is a reason code, never free text."""
    return OrderEvent.objects.create(order=order, kind=kind, role=by.role.value, code=code)


def reserved_quantities(order: Order) -> list[tuple[UUID, int]]:
    """What the order holds in stock."""
    lines = order.lines.filter(product__isnull=False).values_list("product_id", "quantity")
    return [(product_id, quantity) for product_id, quantity in lines]
