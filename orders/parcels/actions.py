"""A parcel's way: packed, handed over, delivered. The order is locked first, always."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from orders.catalogue.actions import ship_stock
from orders.lifecycle.actions import announce, complete_order
from orders.lifecycle.errors import LabelMissing, PaymentGivenBack, PaymentNotCaptured, TransitionRefused
from orders.lifecycle.models import Order, OrderEvent, OrderState
from orders.lifecycle.timeline import append_event, lock_order, require_state, reserved_quantities
from orders.parcels.models import Parcel, ParcelOperation, ParcelState
from orders.payments.actions import refundable, request_capture
from orders.payments.models import PaymentState, WebhookEvent
from privacy.policy.roles import Actor

PROVIDER = "parcels"


@transaction.atomic
def pack_parcel(*, by: Actor, parcel: Parcel) -> Parcel:
    """Mark a planned parcel packed; takes the payment and asks the carrier for a label."""
    order, parcel = _locked(parcel)
    require_state(order, OrderState.CONFIRMED)
    _require(parcel, ParcelState.PLANNED)
    _move(parcel, ParcelState.PACKED, "packed_at")
    request_capture(order, by=by)
    ParcelOperation(parcel=parcel, kind=ParcelOperation.Kind.BOOK).enqueue()
    append_event(order, OrderEvent.Kind.PACKED, by=by)
    record(Event.PARCEL_PACKED, by=by, subject=order.subject_id, object=parcel, case=order)
    return parcel


@transaction.atomic
def request_label(*, by: Actor, parcel: Parcel) -> Parcel:
    """Ask the carrier for a label again, after it could not be asked; refused while that is under way or done."""
    order, parcel = _locked(parcel)
    _require(parcel, ParcelState.PACKED)
    if not is_label_refused(parcel):
        raise TransitionRefused(parcel.state)
    ParcelOperation(parcel=parcel, kind=ParcelOperation.Kind.BOOK).enqueue()
    record(Event.PARCEL_LABEL_REQUESTED, by=by, subject=order.subject_id, object=parcel, case=order)
    return parcel


def is_label_refused(parcel: Parcel) -> bool:
    """The carrier could not be asked the last time, so nobody is waiting for its answer."""
    last = parcel.operations.filter(kind=ParcelOperation.Kind.BOOK).order_by("-id").first()
    return last is not None and last.outcome == ParcelOperation.Outcome.REFUSED


@transaction.atomic
def hand_over_parcel(*, by: Actor, parcel: Parcel) -> Parcel:
    """Give a packed parcel to the carrier, not before the money is taken and the label is there.

    Refused as well when all of the money has been given back or is about to be.
    """
    order, parcel = _locked(parcel)
    require_state(order, OrderState.CONFIRMED)
    _require(parcel, ParcelState.PACKED)
    payment = order.payments.filter(state=PaymentState.CAPTURED).first()
    if payment is None:
        raise PaymentNotCaptured(order.state)
    if not refundable(payment):
        raise PaymentGivenBack(order.state)
    if parcel.labeled_at is None:
        raise LabelMissing(order.state)
    _move(parcel, ParcelState.HANDED_OVER, "handed_over_at")
    ship_stock(reserved_quantities(order))
    ParcelOperation(parcel=parcel, kind=ParcelOperation.Kind.COLLECT).enqueue()
    append_event(order, OrderEvent.Kind.HANDED_OVER, by=by)
    record(Event.PARCEL_HANDED_OVER, by=by, subject=order.subject_id, object=parcel, case=order)
    announce(order, "orders_shipped", by=by)
    return parcel


@transaction.atomic
def deliver_parcel(*, by: Actor, parcel: Parcel) -> Parcel:
    """Mark a handed-over parcel delivered; the order is complete with its last parcel."""
    order, parcel = _locked(parcel)
    _require(parcel, ParcelState.HANDED_OVER)
    _move(parcel, ParcelState.DELIVERED, "delivered_at")
    append_event(order, OrderEvent.Kind.DELIVERED, by=by)
    record(Event.PARCEL_DELIVERED, by=by, subject=order.subject_id, object=parcel, case=order)
    complete_order(order, by=by)
    return parcel


@transaction.atomic
def receive_parcel_webhook(*, by: Actor, event_id: str, kind: str, parcel_id: UUID) -> str:
    """Take in a signed ``parcel.in_transit`` or ``parcel.delivered``; repeated, late and early ones are harmless.

    Returns ``applied``, ``stale``, ``unknown`` or ``repeated``.
    """
    event, is_new = WebhookEvent.objects.get_or_create(provider=PROVIDER, event_id=event_id, defaults={"kind": kind, "outcome": "unknown"})
    if not is_new:
        return "repeated"
    parcel = Parcel.objects.filter(pk=parcel_id).first()
    if parcel is not None and kind in ("parcel.in_transit", "parcel.delivered"):
        event.outcome = "applied" if _apply(kind, parcel, by) else "stale"
        event.save(update_fields=["outcome"])
    return event.outcome


def _apply(kind: str, parcel: Parcel, by: Actor) -> bool:
    order, parcel = _locked(parcel)
    if parcel.state != ParcelState.HANDED_OVER:
        return False
    if kind == "parcel.delivered":
        deliver_parcel(by=by, parcel=parcel)
    else:
        append_event(order, OrderEvent.Kind.IN_TRANSIT, by=by)
    return True


def _locked(parcel: Parcel) -> tuple[Order, Parcel]:
    order = lock_order(parcel.order_id)
    return order, Parcel.objects.select_for_update().get(pk=parcel.pk)


def _require(parcel: Parcel, state: ParcelState) -> None:
    if parcel.state != state:
        raise TransitionRefused(parcel.state)


def _move(parcel: Parcel, state: ParcelState, moment: str) -> None:
    parcel.state = state
    setattr(parcel, moment, timezone.now())
    parcel.save(update_fields=["state", moment])
