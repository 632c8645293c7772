"""The timeline of an order as people read it: what happened, what is going on, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from orders.lifecycle.models import Order, OrderEvent, OrderState

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
    past = [
        Step(str(Kind(event.kind).label), "bad" if event.kind in BAD else "done", at=event.at)
        for event in order.events.all()
    ]
    return past + _coming(order)


def _coming(order: Order) -> list[Step]:
    wait = {
        OrderState.PENDING_PAYMENT: _("We wait for your bank. This page says so when it has answered."),
        OrderState.RECEIVED: _("A person checks your order, mostly within one working day."),
        OrderState.CONFIRMED: _("We pack your parcel and give it to the carrier."),
    }
    if order.state not in wait:
        return []
    coming = [Step(wait[OrderState(order.state)], "now", when=_("now"))]
    if order.state != OrderState.CONFIRMED:
        coming.append(Step(_("We pack your parcel and take the payment."), "ahead", when=_("then")))
    return [*coming, Step(_("The carrier brings it to your door."), "ahead", when=_("at last"))]
