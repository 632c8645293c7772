from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from orders.lifecycle.models import ENDED, Order, OrderEvent, OrderState
from orders.parcels.models import Parcel, ParcelState
from orders.payments.models import SETTLED, OperationKind, Outcome, Payment, PaymentOperation


def orders_of(subject_id: UUID | None) -> QuerySet[Order]:
    """A person's own orders, newest first; nobody's for nobody."""
    if subject_id is None:
        return Order.objects.none()
    return Order.objects.filter(subject_id=subject_id).order_by("-placed_at")


class Shown(TextChoices):
    """Which of a person's orders a list shows."""

    ALL = "all", _("All")
    OPEN = "open", _("On the way")
    DELIVERED = "delivered", _("Delivered")
    ENDED = "ended", _("Canceled or not paid")


STATES_SHOWN = {
    Shown.ALL: OrderState.values,
    Shown.OPEN: [state for state in OrderState if state not in ENDED],
    Shown.DELIVERED: [OrderState.COMPLETED, OrderState.CLOSED],
    Shown.ENDED: [OrderState.CANCELED, OrderState.EXPIRED],
}


def orders_for_list(subject_id: UUID | None, shown: str = Shown.ALL) -> QuerySet[Order]:
    return orders_of(subject_id).filter(state__in=STATES_SHOWN[Shown(shown)]).prefetch_related("lines")


def orders_with_case(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Everything about orders that names nobody, in a constant number of queries."""
    return orders.select_related("subject", "invoice").prefetch_related(
        "lines",
        Prefetch("events", OrderEvent.objects.order_by("at", "id")),
        Prefetch("parcels", Parcel.objects.order_by("number")),
        Prefetch("payments", Payment.objects.order_by("created_at")),
        "withdrawals",
    )


def orders_to_check() -> QuerySet[Order]:
    return Order.objects.filter(state=OrderState.RECEIVED)


def parcels_to_send() -> QuerySet[Parcel]:
    return Parcel.objects.filter(state__in=[ParcelState.PLANNED, ParcelState.PACKED])


def operations_to_look_into() -> QuerySet[PaymentOperation]:
    """Captures, voids and refunds that were declined and not asked again since."""
    declined = PaymentOperation.objects.filter(outcome=Outcome.DECLINED).exclude(kind=OperationKind.AUTHORIZE)
    later = PaymentOperation.objects.filter(payment=OuterRef("payment"), kind=OuterRef("kind"), id__gt=OuterRef("id"))
    return declined.exclude(Exists(later))


def stuck_payments() -> QuerySet[Payment]:
    """Payments whose money stayed where it was, because the provider declined to give it back or to let it go."""
    giving_back = operations_to_look_into().filter(kind__in=[OperationKind.VOID, OperationKind.REFUND])
    return Payment.objects.filter(pk__in=giving_back.values("payment_id"))


def has_open_order(subject_id: UUID) -> bool:
    """Something of this person is neither delivered nor ended, or its money is still moving."""
    if Order.objects.filter(subject_id=subject_id).exclude(state__in=ENDED).exists():
        return True
    moving = PaymentOperation.objects.filter(payment__order__subject_id=subject_id)
    return moving.exclude(outcome__in=SETTLED).exists()
