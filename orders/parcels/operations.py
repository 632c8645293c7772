"""Carrying out what the carrier is asked: decide and commit, call, commit the answer."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from orders.checkout.addresses import ADDRESS_FIELDS
from orders.lifecycle.models import Order, OrderAddress, OrderEvent
from orders.lifecycle.timeline import append_event, lock_order
from orders.parcels.carrier import Booking, Carrier, CarrierTimeout, CarrierUnreachable, carrier
from orders.parcels.models import Parcel, ParcelLabel, ParcelOperation, ParcelState
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.jobs.errors import TryLater
from privacy.policy.roles import Actor
from privacy.sharing.actions import disclose

SHIPPER = Actor.job("parcels")
ON_ITS_WAY = (ParcelState.PLANNED, ParcelState.PACKED, ParcelState.HANDED_OVER)
ASK_AGAIN_SECONDS = 5
UNREACHABLE_SECONDS = 15
FINISHED = (ParcelOperation.Outcome.SUCCEEDED, ParcelOperation.Outcome.REFUSED)


def run_operation(operation_id: UUID) -> None:
    """Bring one operation to an answer; raises ``TryLater`` while the carrier gives none. Safe to repeat."""
    operation = ParcelOperation.objects.select_related("parcel__order__subject").get(pk=operation_id)
    if operation.outcome in FINISHED:
        return
    try:
        _CARRIED_OUT[ParcelOperation.Kind(operation.kind)](carrier(), operation)
    except CarrierTimeout:
        with unit_of_work():
            _open_row(operation).update(outcome=ParcelOperation.Outcome.UNKNOWN)
        raise TryLater(ASK_AGAIN_SECONDS) from None
    except CarrierUnreachable:
        raise TryLater(UNREACHABLE_SECONDS) from None


def give_up(operation_id: UUID) -> None:
    """Mark an operation whose last attempt failed; staff may cancel or ask again."""
    with unit_of_work():
        operation = ParcelOperation.objects.select_related("parcel").get(pk=operation_id)
        if _open_row(operation).update(outcome=ParcelOperation.Outcome.REFUSED):
            record(Event.PARCEL_FAILED, by=SHIPPER, object=operation.parcel, case=Reference.to(operation))


def _book(carrier: Carrier, operation: ParcelOperation) -> None:
    key = str(operation.pk)
    booking = carrier.find(key=key) if operation.asked_at else None
    if booking is None:
        address = _disclose_address(operation)
        if address is None:
            return
        booking = carrier.book(key=key, parcel=str(operation.parcel_id), address=address)
    keep_label(operation, booking)


def _collect(carrier: Carrier, operation: ParcelOperation) -> None:
    carrier.collect(key=str(operation.pk), parcel=str(operation.parcel_id))
    with unit_of_work():
        _open_row(operation).update(outcome=ParcelOperation.Outcome.SUCCEEDED)


def _call_back(carrier: Carrier, operation: ParcelOperation) -> None:
    """After the booking was answered: called back before it, a late booking would stand."""
    if _open_bookings(operation).exists():
        raise TryLater(ASK_AGAIN_SECONDS)
    carrier.cancel_booking(key=str(operation.pk), parcel=str(operation.parcel_id))
    with unit_of_work():
        order = lock_order(operation.parcel.order_id)
        if _open_row(operation).update(outcome=ParcelOperation.Outcome.SUCCEEDED):
            record(Event.PARCEL_CALLED_BACK, by=SHIPPER, subject=order.subject_id, object=operation.parcel, case=order)


_CARRIED_OUT: dict[ParcelOperation.Kind, Callable[[Carrier, ParcelOperation], None]] = {
    ParcelOperation.Kind.BOOK: _book,
    ParcelOperation.Kind.COLLECT: _collect,
    ParcelOperation.Kind.CALL_BACK: _call_back,
}


def takers_of(parcel_id: UUID) -> set[str]:
    """As ``disclose`` asks who may receive what belongs to a parcel: its own carrier, until it has arrived."""
    return set(Parcel.objects.filter(pk=parcel_id, state__in=ON_ITS_WAY).values_list("carrier", flat=True))


def _disclose_address(operation: ParcelOperation) -> dict[str, str] | None:
    """What the carrier is told, committed before it is told; None when the parcel was canceled meanwhile."""
    with unit_of_work():
        order = lock_order(operation.parcel.order_id)
        if Parcel.objects.get(pk=operation.parcel_id).state == ParcelState.CANCELED:
            _open_row(operation).update(outcome=ParcelOperation.Outcome.REFUSED)
            return None
        _open_row(operation).update(outcome=ParcelOperation.Outcome.SENDING, asked_at=timezone.now())
        address = OrderAddress.objects.get(subject=order.person, order=order)
        values = {name: value for name in ADDRESS_FIELDS if (value := getattr(address, name)) is not None}
        told = disclose(
            by=SHIPPER,
            recipient=operation.parcel.carrier,
            purpose=Purpose.DISPATCH,
            subject=order.person,
            values=values,
            case=Reference.to(operation.parcel),
        )
        return {**told, "country": address.country}


@transaction.atomic
def _write_label(order: Order, parcel: Parcel, booking: Booking) -> None:
    if ParcelLabel.objects.filter(subject=order.person, parcel=parcel).exists():
        return
    with open_access(by=SHIPPER, purpose=Purpose.DISPATCH, subject=order.person, case=Reference.to(parcel), writes=Event.DATA_COLLECTED):
        ParcelLabel.objects.create(
            subject=order.person,
            parcel=parcel,
            tracking_number=booking.tracking_number,
            label_reference=booking.label_reference,
        )


def keep_label(operation: ParcelOperation, booking: Booking) -> None:
    """Seal what the carrier gave, once; later answers to the same operation change nothing."""
    with unit_of_work():
        order = lock_order(operation.parcel.order_id)
        if not _open_row(operation).update(outcome=ParcelOperation.Outcome.SUCCEEDED):
            return
        parcel = Parcel.objects.select_for_update().get(pk=operation.parcel_id)
        if parcel.state == ParcelState.CANCELED:
            return  # canceled while the carrier was asked; nothing of this parcel is kept
        _write_label(order, parcel, booking)
        parcel.labeled_at = timezone.now()
        parcel.save(update_fields=["labeled_at"])
        append_event(order, OrderEvent.Kind.LABELED, by=SHIPPER)
        record(Event.PARCEL_LABELED, by=SHIPPER, subject=order.subject_id, object=parcel, case=order)


def _open_row(operation: ParcelOperation) -> QuerySet[ParcelOperation]:
    return ParcelOperation.objects.filter(pk=operation.pk).exclude(outcome__in=FINISHED)


def _open_bookings(operation: ParcelOperation) -> QuerySet[ParcelOperation]:
    bookings = ParcelOperation.objects.filter(parcel_id=operation.parcel_id, kind=ParcelOperation.Kind.BOOK)
    return bookings.exclude(outcome__in=FINISHED)
