"""Canceled purchases and credit notes in the copy of a person's data."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from orders.invoices.models import CreditNote
from orders.money import major_units
from orders.withdrawals.models import WithdrawalLine
from privacy.rights.sections import Column, Row, Section, register_section


def _withdrawals(subject_id: UUID) -> Iterable[Row]:
    lines = WithdrawalLine.objects.filter(withdrawal__order__subject_id=subject_id).select_related("withdrawal__order", "line")
    for given_up in lines.order_by("withdrawal__declared_at", "line__position").iterator(chunk_size=500):
        withdrawal = given_up.withdrawal
        yield {
            "code": withdrawal.order.code,
            "declared_at": withdrawal.declared_at,
            "title": given_up.line.title,
            "quantity": given_up.quantity,
            "state": withdrawal.get_state_display(),
            "outcome": withdrawal.get_outcome_display(),
            "exemption": withdrawal.get_exemption_display(),
            "closed_at": withdrawal.closed_at,
        }


def _credit_notes(subject_id: UUID) -> Iterable[Row]:
    notes = CreditNote.objects.filter(invoice__order__subject_id=subject_id).select_related("invoice__order")
    for note in notes.order_by("issued_at").iterator(chunk_size=500):
        yield {
            "number": note.label,
            "code": note.invoice.order.code,
            "invoice": note.invoice.label,
            "issued_at": note.issued_at,
            "total": str(major_units(note.total, note.currency)),
            "tax": str(major_units(note.tax_total, note.currency)),
            "currency": note.currency,
        }


def register_withdrawal_sections() -> None:
    """Both stay after an erasure, without the person."""
    code = Column("code", _("Order number"))
    register_section(
        Section(
            "withdrawals",
            _("Purchases you canceled"),
            _("Each line that you gave up, and what came of it."),
            (
                code,
                Column("declared_at", _("Declared"), kind="datetime"),
                Column("title", _("Product")),
                Column("quantity", _("Quantity"), kind="integer"),
                Column("state", _("State")),
                Column("outcome", _("How it ended")),
                Column("exemption", _("Exception in the law")),
                Column("closed_at", _("Closed"), kind="datetime"),
            ),
            _withdrawals,
        )
    )
    register_section(
        Section(
            "credit_notes",
            _("Credit notes"),
            _("Each correction of an invoice."),
            (
                Column("number", _("Number")),
                code,
                Column("invoice", _("Invoice")),
                Column("issued_at", _("Day of issue"), kind="datetime"),
                Column("total", _("Total")),
                Column("tax", _("Tax inside the total")),
                Column("currency", _("Currency"), _("ISO 4217 code.")),
            ),
            _credit_notes,
        )
    )
