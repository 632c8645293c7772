"""What staff do to many orders at once; beyond a few it takes two people."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from orders.lifecycle.actions import CANCELABLE, ON_ITS_WAY, cancel_order, confirm_order
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.models import Order
from orders.lifecycle.queries import orders_to_check
from privacy.access.approvals.mass import MassAct, register_mass_act
from privacy.policy.roles import Role

SUPPORT = frozenset({Role.SUPPORT})
APPROVERS = frozenset({Role.SUPPORT, Role.ADMINISTRATOR})


def cancelable_orders() -> QuerySet[Order]:
    """Those that staff can still cancel."""
    return Order.objects.filter(state__in=CANCELABLE).exclude(parcels__state__in=ON_ITS_WAY)


CONFIRM_ORDERS = MassAct(
    name="orders-confirm",
    label=_("Confirm the chosen orders"),
    does=_("The customers are told, and the parcels appear on the packing list."),
    possible=orders_to_check,
    act=lambda by, order: confirm_order(by=by, order=order),
    roles=SUPPORT,
    approvers=APPROVERS,
    refusals=(TransitionRefused,),
)
CANCEL_ORDERS = MassAct(
    name="orders-cancel",
    label=_("Cancel the chosen orders"),
    does=_("Frees the stock, gives all money back and tells the customers. This cannot be undone."),
    possible=cancelable_orders,
    act=lambda by, order: cancel_order(by=by, order=order, reason="by_staff"),
    roles=SUPPORT,
    approvers=APPROVERS,
    refusals=(TransitionRefused,),
)


def register_order_mass_acts() -> None:
    for act in (CONFIRM_ORDERS, CANCEL_ORDERS):
        register_mass_act(act)
