"""What can happen to an order as a whole. Each locks it first and re-reads its state."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from orders.catalogue.actions import release_stock
from orders.lifecycle.errors import ParcelPacked, TransitionRefused
from orders.lifecycle.models import Order, OrderEvent, OrderState
from orders.lifecycle.timeline import append_event, lock_order, require_state, reserved_quantities
from orders.parcels.bookings import call_back_booking
from orders.parcels.models import Parcel, ParcelState
from orders.payments.actions import has_money_under_way, is_unwinding_stuck, unwind_payments
from orders.withdrawals.endings import close_with_order, end_with_cancellation
from orders.withdrawals.queries import has_open_withdrawal
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor, Role

CANCELABLE = (OrderState.PENDING_PAYMENT, OrderState.RECEIVED, OrderState.CONFIRMED)
ON_ITS_WAY = (ParcelState.HANDED_OVER, ParcelState.DELIVERED, ParcelState.CLOSED)
WITHDRAWN = "withdrawn"


def receive_order(order: Order, *, by: Actor) -> None:
    """The bank has set the money aside: a locked order waits for staff. An ended one stays ended."""
    if order.state != OrderState.PENDING_PAYMENT:
        return
    _move(order, OrderState.RECEIVED, "received_at")
    append_event(order, OrderEvent.Kind.PAYMENT_AUTHORIZED, by=by)


@transaction.atomic
def confirm_order(*, by: Actor, order: Order) -> Order:
    """Accept an order that was checked; plans its parcel. Refused unless it is ``received``."""
    order = lock_order(order.pk)
    require_state(order, OrderState.RECEIVED)
    _move(order, OrderState.CONFIRMED, "confirmed_at")
    Parcel.objects.create(order=order)
    append_event(order, OrderEvent.Kind.CONFIRMED, by=by)
    record(Event.ORDER_CONFIRMED, by=by, subject=order.subject_id, object=order)
    announce(order, "orders_confirmed", by=by)
    return order


@transaction.atomic
def cancel_order(*, by: Actor, order: Order, reason: str = "") -> Order:
    """End an order before it leaves the house; stock is freed and money goes back.

    The customer may until the parcel is packed (``ParcelPacked``), staff until it is handed over, and so may the
    customer who withdraws from the purchase. ``reason`` is a code.
    """
    order = lock_order(order.pk)
    require_state(order, *CANCELABLE)
    parcels = list(order.parcels.select_for_update())
    if any(parcel.state in ON_ITS_WAY for parcel in parcels):
        raise TransitionRefused(order.state)
    if by.role == Role.CUSTOMER and reason != WITHDRAWN and any(parcel.state == ParcelState.PACKED for parcel in parcels):
        raise ParcelPacked(order.state)
    now = timezone.now()
    Parcel.objects.filter(pk__in=[parcel.pk for parcel in parcels]).update(state=ParcelState.CANCELED, canceled_at=now)
    for parcel in parcels:
        call_back_booking(parcel)
    _move(order, OrderState.CANCELED, "canceled_at")
    release_stock(reserved_quantities(order))
    append_event(order, OrderEvent.Kind.CANCELED, by=by, code=reason)
    record(Event.ORDER_CANCELED, by=by, subject=order.subject_id, object=order)
    unwind_payments(order, by=by)
    end_with_cancellation(order, by=by)
    announce(order, "orders_canceled", by=by)
    return order


def complete_order(order: Order, *, by: Actor) -> None:
    """Called with the locked order when a parcel was delivered; does nothing while another is on its way."""
    waiting = order.parcels.exclude(state__in=[ParcelState.DELIVERED, ParcelState.CANCELED, ParcelState.CLOSED])
    if waiting.exists():
        return
    _move(order, OrderState.COMPLETED, "completed_at")
    append_event(order, OrderEvent.Kind.COMPLETED, by=by)
    record(Event.ORDER_COMPLETED, by=by, subject=order.subject_id, object=order)
    announce(order, "orders_delivered", by=by)


@transaction.atomic
def expire_order(*, by: Actor, order: Order) -> Order:
    """End an order that was not paid in time; a payment that comes later is let go."""
    order = lock_order(order.pk)
    require_state(order, OrderState.PENDING_PAYMENT)
    order.closed_at = timezone.now()
    _move(order, OrderState.EXPIRED, "expired_at", "closed_at")
    release_stock(reserved_quantities(order))
    append_event(order, OrderEvent.Kind.EXPIRED, by=by)
    record(Event.ORDER_EXPIRED, by=by, subject=order.subject_id, object=order)
    unwind_payments(order, by=by)
    return order


@transaction.atomic
def close_order(*, by: Actor, order: Order) -> Order:
    """Nothing is open any more: starts the lifetimes of the personal rows.

    A delivered order becomes ``closed``; a canceled one keeps its state. Refused while money is under way or stays
    where it was because the provider declined to move it, and while the buyer's withdrawal is open.
    """
    order = lock_order(order.pk)
    require_state(order, OrderState.COMPLETED, OrderState.CANCELED)
    if order.closed_at is not None or has_money_under_way(order) or has_open_withdrawal(order):
        raise TransitionRefused(order.state)
    if order.state == OrderState.CANCELED and is_unwinding_stuck(order):
        raise TransitionRefused(order.state)
    if order.state == OrderState.COMPLETED:
        order.parcels.filter(state=ParcelState.DELIVERED).update(state=ParcelState.CLOSED, closed_at=timezone.now())
        order.state = OrderState.CLOSED
    _move(order, OrderState(order.state), "closed_at")
    close_with_order(order, by=by)
    append_event(order, OrderEvent.Kind.CLOSED, by=by)
    record(Event.ORDER_CLOSED, by=by, subject=order.subject_id, object=order)
    return order


def announce(order: Order, template: str, *, by: Actor, occasion: str = "") -> None:
    """Queue news for the person who ordered; nobody is written to once the order names nobody."""
    if order.subject_id is not None:
        queue_mail(
            template=template,
            subject=order.subject_id,
            object=Reference.to(order),
            locale=order.locale,
            occasion=occasion,
            by=by,
        )


def _move(order: Order, state: OrderState, *moments: str) -> None:
    order.state = state
    for moment in moments:
        setattr(order, moment, timezone.now())
    order.save(update_fields=["state", *moments])
