from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet

from orders.lifecycle.models import ENDED, Order, OrderEvent
from orders.parcels.models import Parcel
from orders.payments.models import SETTLED, Payment, PaymentOperation


def orders_of(subject_id: UUID | None) -> QuerySet[Order]:
    """A person's own orders, newest first; nobody's for nobody."""
    if subject_id is None:
        return Order.objects.none()
    return Order.objects.filter(subject_id=subject_id).order_by("-placed_at")


def orders_for_list(subject_id: UUID | None) -> QuerySet[Order]:
    return orders_of(subject_id).prefetch_related("lines")


def orders_with_case(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Everything about orders that names nobody, in a constant number of queries."""
    return orders.select_related("subject", "invoice").prefetch_related(
        "lines",
        Prefetch("events", OrderEvent.objects.order_by("at", "id")),
        Prefetch("parcels", Parcel.objects.order_by("number")),
        Prefetch("payments", Payment.objects.order_by("created_at")),
    )


def orders_for_staff() -> QuerySet[Order]:
    return Order.objects.annotate(pieces=Count("lines")).order_by("-placed_at")


def has_open_order(subject_id: UUID) -> bool:
    """Something of this person is neither delivered nor ended, or its money is still moving."""
    if Order.objects.filter(subject_id=subject_id).exclude(state__in=ENDED).exists():
        return True
    moving = PaymentOperation.objects.filter(payment__order__subject_id=subject_id)
    return moving.exclude(outcome__in=SETTLED).exists()


def last_open_moment(subject_id: UUID) -> datetime | None:
    """When the newest open order was placed."""
    newest = Order.objects.filter(subject_id=subject_id).exclude(state__in=ENDED).order_by("-placed_at").first()
    return newest.placed_at if newest else None
