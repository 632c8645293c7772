"""What waits for the people who handle orders, on the staff's front page."""

from __future__ import annotations

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.lifecycle.models import OrderState
from orders.lifecycle.queries import operations_to_look_into, orders_to_check, parcels_to_send
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.roles import Actor, Role


@dashboard_card
def to_check(actor: Actor) -> Card | None:
    if actor.role != Role.SUPPORT:
        return None
    number = orders_to_check().count()
    text = _("Paid for, and waiting for your yes.")
    return _card(_("Orders to check"), number, text, State.WATCH, OrderState.RECEIVED)


@dashboard_card
def to_send(actor: Actor) -> Card | None:
    if actor.role != Role.FULFILLMENT:
        return None
    number = parcels_to_send().count()
    text = _("To be packed or handed over.")
    return _card(_("Parcels to send"), number, text, State.WATCH, OrderState.CONFIRMED)


@dashboard_card
def to_look_into(actor: Actor) -> Card | None:
    if actor.role not in (Role.FINANCE, Role.ADMINISTRATOR):
        return None
    number = operations_to_look_into().count()
    text = _("The payment provider declined to take or to give back money.")
    return _card(_("Payments that went wrong"), number, text, State.LATE)


def _card(title: str | Promise, number: int, text: str | Promise, waiting: State, state: OrderState | None = None) -> Card:
    address = reverse("admin:orders_order_changelist") + (f"?state__exact={state.value}" if state else "")
    return Card(Section.NEEDS_YOU, title, number, text, waiting if number else State.GOOD, address)
