"""A person's purchases in the copy of their data: what was bought, for how much, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from orders.lifecycle.models import OrderLine
from orders.lifecycle.queries import orders_of
from orders.money import major_units
from privacy.rights.sections import Column, Row, Section, register_section


def _orders(subject_id: UUID) -> Iterable[Row]:
    for order in orders_of(subject_id).iterator(chunk_size=500):
        yield {
            "code": order.code,
            "state": order.get_state_display(),
            "placed_at": order.placed_at,
            "closed_at": order.closed_at,
            "country": order.country,
            "total": str(major_units(order.total, order.currency)),
            "tax": str(major_units(order.tax_total, order.currency)),
            "currency": order.currency,
        }


def _lines(subject_id: UUID) -> Iterable[Row]:
    lines = OrderLine.objects.filter(order__subject_id=subject_id).select_related("order")
    for line in lines.order_by("order__placed_at", "position").iterator(chunk_size=500):
        yield {
            "code": line.order.code,
            "title": line.title,
            "sku": line.sku,
            "quantity": line.quantity,
            "price": str(major_units(line.unit_price, line.order.currency)),
            "total": str(major_units(line.total, line.order.currency)),
            "currency": line.order.currency,
        }


def register_order_sections() -> None:
    """Orders and their lines; both stay after an erasure, without the person."""
    code, currency = Column("code", _("Order number")), Column("currency", _("Currency"), _("ISO 4217 code."))
    register_section(
        Section(
            "orders",
            _("Your orders"),
            _("Each order with its dates and totals."),
            (
                code,
                Column("state", _("State")),
                Column("placed_at", _("Placed"), kind="datetime"),
                Column("closed_at", _("Closed"), kind="datetime"),
                Column("country", _("Country")),
                Column("total", _("Total")),
                Column("tax", _("Tax inside the total")),
                currency,
            ),
            _orders,
        )
    )
    register_section(
        Section(
            "order_lines",
            _("What you bought"),
            _("Each line of each order, as it was when you ordered."),
            (
                code,
                Column("title", _("Product")),
                Column("sku", _("Article number")),
                Column("quantity", _("Quantity"), kind="integer"),
                Column("price", _("Price of one")),
                Column("total", _("Total")),
                currency,
            ),
            _lines,
        )
    )
