"""The timeline of an order as people read it: what happened, what is going on, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from orders.lifecycle.models import Order, OrderEvent, OrderState
from orders.parcels.models import ParcelState

Kind = OrderEvent.Kind
BAD = (Kind.PAYMENT_DECLINED, Kind.PAYMENT_FAILED, Kind.CANCELED, Kind.EXPIRED)


@dataclass(frozen=True)
class Step:
    """One line; ``state`` is ``done``, ``now``, ``ahead`` or ``bad``."""

    title: str
    state: str
    at: datetime | None = None
    when: str = ""
    text: str = ""


def steps_of(order: Order) -> list[Step]:
    """Past steps from the events, then what is still to come if nothing goes wrong."""
    past = [Step(str(Kind(event.kind).label), "bad" if event.kind in BAD else "done", at=event.at) for event in order.events.all()]
    return past + _coming(order)


def _coming(order: Order) -> list[Step]:
    if order.state == OrderState.PENDING_PAYMENT:
        return [_now(_waiting_for_payment(order)), _ahead(_("A person checks your order.")), _packing(), _arrival()]
    if order.state == OrderState.RECEIVED:
        return [_now(_("A person checks your order, mostly within one working day.")), _packing(), _arrival()]
    if order.state == OrderState.CONFIRMED:
        return _on_its_way(order)
    return []


def _on_its_way(order: Order) -> list[Step]:
    states = {parcel.state for parcel in order.parcels.all()}
    if ParcelState.PLANNED in states:
        return [_now(_("We pack your parcel and take the payment.")), _arrival()]
    if ParcelState.PACKED in states:
        return [_now(_("We give your parcel to the carrier.")), _arrival()]
    return [_now(_("The carrier brings it to your door."))]


def _waiting_for_payment(order: Order) -> str:
    last = [event.kind for event in order.events.all()][-1:]
    if last == [Kind.PAYMENT_DECLINED]:
        return _("You pay again, or the order ends by itself an hour after it was placed.")
    return _("We wait for your bank. This page says so when it has answered.")


def _packing() -> Step:
    return _ahead(_("We pack your parcel and take the payment."))


def _arrival() -> Step:
    return Step(_("The carrier brings it to your door."), "ahead", when=_("at last"))


def _now(title: str) -> Step:
    return Step(title, "now", when=_("now"))


def _ahead(title: str) -> Step:
    return Step(title, "ahead", when=_("then"))
