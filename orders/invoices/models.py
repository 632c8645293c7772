"""Invoices and their numbers. The billed party is kept apart, as long as tax law says and no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations import masks
from privacy.declarations.categories import Category, Scope
from privacy.declarations.lifetimes import Floor, Lifetime, years
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.records import PersonalRecord

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

TAX_LAW = Floor(
    citation="AO § 147(1) no. 4, (3); HGB § 257(4); UStG § 14b(1)",
    explanation=_("Tax law says that we must keep invoices for 8 years."),
)


class InvoiceCounter(models.Model):
    """The last number given in a series; locked while the next is given, so that none is missing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    series = models.CharField(max_length=10, unique=True)
    last_number = models.PositiveIntegerField(default=0)

    wall = Wall.STAFF
    not_personal = {"series": "name of the series", "last_number": "number of its last invoice"}

    class Meta:
        verbose_name = _("invoice counter")
        verbose_name_plural = _("invoice counters")

    def __str__(self) -> str:
        return self.series


class Invoice(models.Model):
    """The bill for an order. Names nobody; stays after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.OneToOneField("orders.Order", on_delete=models.PROTECT, related_name="invoice")
    series = models.CharField(max_length=10)
    number = models.PositiveIntegerField()
    issued_at = models.DateTimeField(default=timezone.now)
    issuer = models.ForeignKey("privacy.OperatorIdentity", on_delete=models.PROTECT, related_name="+", null=True)
    currency = models.CharField(max_length=3)
    total = models.PositiveIntegerField()
    tax_total = models.PositiveIntegerField()

    wall = Wall.through("order").granting(customer="SELECT")
    not_personal = {
        "order": "the order billed",
        "series": "series of the number",
        "number": "number without gaps",
        "issued_at": "when it was issued",
        "issuer": "who ran the shop on that day, as published",
        "currency": "currency of the order",
        "total": "sum billed",
        "tax_total": "tax inside the sum",
    }

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [models.UniqueConstraint(fields=["series", "number"], name="one_invoice_per_number")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return f"{self.series}-{self.number:06d}"


class InvoiceParty(PersonalRecord):
    """Who was billed, copied at issue. Destroyed 8 years after the end of the year of issue; no erasure before."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, db_index=False, related_name="parties")
    name = personal(models.CharField(_("name on the invoice"), max_length=120), Category.FINANCIAL, mask=masks.name, scope=Scope.RECORDS)
    address = personal(
        models.TextField(_("address on the invoice"), max_length=1000), Category.FINANCIAL, mask=masks.address, scope=Scope.RECORDS
    )

    wall = Wall.SUBJECT.granting(customer="SELECT")
    lifetime = Lifetime(
        purposes=[Purpose.LEGAL],
        starts="invoice__issued_at",
        lasts=years(8, to_year_end=True),
        until=_("8 years after the end of the year of the invoice"),
        floor=TAX_LAW,
    )
    not_personal = {"invoice": "the invoice it belongs to"}

    class Meta:
        verbose_name = _("billed party")
        verbose_name_plural = _("billed parties")
        constraints = [models.UniqueConstraint(fields=["subject", "invoice"], name="one_party_per_invoice")]

    def describe(self) -> str:
        return _("invoice %(number)s") % {"number": self.invoice.label}


class CreditNote(models.Model):
    """The correction of an invoice by the sum of one refund. Names nobody; stays after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    refund = models.OneToOneField("orders.Refund", on_delete=models.PROTECT, related_name="credit_note")
    series = models.CharField(max_length=10)
    number = models.PositiveIntegerField()
    issued_at = models.DateTimeField(default=timezone.now)
    issuer = models.ForeignKey("privacy.OperatorIdentity", on_delete=models.PROTECT, related_name="+", null=True)
    currency = models.CharField(max_length=3)
    total = models.PositiveIntegerField()
    tax_total = models.PositiveIntegerField()

    invoice_id: UUID
    rates: RelatedManager[CreditNoteRate]

    wall = Wall.through("invoice").granting(customer="SELECT")
    not_personal = {
        "invoice": "the invoice corrected",
        "refund": "the decision to give money back",
        "series": "series of the number",
        "number": "number without gaps",
        "issued_at": "when it was issued",
        "issuer": "who ran the shop on that day, as published",
        "currency": "currency of the invoice",
        "total": "sum given back",
        "tax_total": "tax inside the sum",
    }

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        ordering = ["issued_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "number"], name="one_credit_note_per_number"),
            models.CheckConstraint(condition=Q(tax_total__lte=F("total")), name="credit_note_tax_within_total"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return f"{self.series}-{self.number:06d}"


class CreditNoteRate(models.Model):
    """What a credit note gives back at one tax rate. Stays after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    credit_note = models.ForeignKey(CreditNote, on_delete=models.CASCADE, related_name="rates")
    tax_rate = models.PositiveSmallIntegerField()
    gross = models.PositiveIntegerField()
    tax = models.PositiveIntegerField()

    wall = Wall.through("credit_note").granting(customer="SELECT")
    not_personal = {
        "credit_note": "the credit note",
        "tax_rate": "rate of the invoice",
        "gross": "sum at this rate",
        "tax": "tax inside the sum",
    }

    class Meta:
        verbose_name = _("tax on a credit note")
        verbose_name_plural = _("taxes on credit notes")
        ordering = ["-tax_rate"]
        constraints = [models.UniqueConstraint(fields=["credit_note", "tax_rate"], name="one_line_per_rate_credited")]

    def __str__(self) -> str:
        return f"{self.tax_rate} {self.gross}"

    @property
    def percent(self) -> str:
        return f"{self.tax_rate / 100:g}"

    @property
    def net(self) -> int:
        return self.gross - self.tax


class CreditNoteParty(PersonalRecord):
    """Whose invoice was corrected, copied from it. Destroyed 8 years after the end of the year of issue; no erasure before."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.CASCADE, db_index=False, related_name="parties")
    name = personal(
        models.CharField(_("name on the credit note"), max_length=120), Category.FINANCIAL, mask=masks.name, scope=Scope.RECORDS
    )
    address = personal(
        models.TextField(_("address on the credit note"), max_length=1000), Category.FINANCIAL, mask=masks.address, scope=Scope.RECORDS
    )

    wall = Wall.SUBJECT.granting(customer="SELECT")
    lifetime = Lifetime(
        purposes=[Purpose.LEGAL],
        starts="credit_note__issued_at",
        lasts=years(8, to_year_end=True),
        until=_("8 years after the end of the year of the credit note"),
        floor=TAX_LAW,
    )
    not_personal = {"credit_note": "the credit note it belongs to"}

    class Meta:
        verbose_name = _("party of a credit note")
        verbose_name_plural = _("parties of credit notes")
        constraints = [models.UniqueConstraint(fields=["subject", "credit_note"], name="one_party_per_credit_note")]

    def describe(self) -> str:
        return _("credit note %(number)s") % {"number": self.credit_note.label}
