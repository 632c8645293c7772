"""A person's newest orders, to choose from when they write to us."""

from __future__ import annotations

from uuid import UUID

from django.utils import formats
from django.utils.translation import gettext as _

from orders.lifecycle.models import Order
from orders.lifecycle.queries import orders_of
from privacy.complaints.abouts import register_about

NEWEST = 50


def newest_orders(subject_id: UUID) -> dict[UUID, str]:
    """Words by id, newest first."""
    orders = orders_of(subject_id).values_list("pk", "code", "placed_at")[:NEWEST]
    return {id: _("Order %(code)s of %(day)s") % {"code": code, "day": formats.date_format(at, "DATE_FORMAT")} for id, code, at in orders}


def register_order_abouts() -> None:
    register_about(Order._meta.label_lower, newest_orders)
