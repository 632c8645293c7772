"""What stands on the page of one order besides its timeline: who received what of it, and what is kept until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from orders.invoices.models import InvoiceParty
from orders.lifecycle.models import Order, OrderAddress, OrderContact
from orders.parcels.models import ParcelLabel
from orders.payments.models import Payment, PaymentDetail, PaymentState
from privacy.declarations.categories import Category
from privacy.sharing.models import Recipient
from privacy.sharing.queries import disclosures_about
from privacy.vault.records import PersonalRecord


@dataclass(frozen=True)
class Receiver:
    """Somebody outside who was told something of this order."""

    name: str
    kind: str
    categories: list[str]
    at: datetime


@dataclass(frozen=True)
class Kept:
    """One personal record of the order and when it goes: a moment, or in words what the clock waits for."""

    what: str
    at: datetime | None
    until: Promise | str


def personal_records(order: Order, subject_id: UUID) -> dict[str, PersonalRecord | None]:
    """The records of one order that name its person, each or None; in a constant number of queries."""
    own: dict[str, Any] = {"subject_id": subject_id}
    parcels, payments = list(order.parcels.all()), list(order.payments.all())
    invoice = getattr(order, "invoice", None)
    return {
        "contact": OrderContact.objects.filter(**own, order=order).first(),
        "address": OrderAddress.objects.filter(**own, order=order).first(),
        "label": ParcelLabel.objects.filter(**own, parcel__in=parcels).first() if parcels else None,
        "detail": PaymentDetail.objects.filter(**own, payment__in=payments).order_by("-id").first() if payments else None,
        "party": InvoiceParty.objects.filter(**own, invoice=invoice).first() if invoice else None,
    }


def kept_of(order: Order, records: Iterable[PersonalRecord | None]) -> list[Kept]:
    """When each record goes. The clock of all but the invoice starts when the order is closed."""
    return [_kept(order, record) for record in records if record is not None]


def receivers_of(order: Order, subject_id: UUID) -> list[Receiver]:
    """Who outside received data for this order, each once, first come first."""
    cases = [order.pk, *(parcel.pk for parcel in order.parcels.all())]
    found: dict[UUID, list[Any]] = {}
    for disclosure in disclosures_about(subject_id).filter(case_id__in=cases).order_by("at"):
        found.setdefault(disclosure.recipient_id, []).append(disclosure)
    return [_receiver(disclosures) for disclosures in found.values()]


def carrier_name() -> str:
    carrier = Recipient.objects.filter(kind=Recipient.Kind.CARRIER).order_by("name").first()
    return carrier.name if carrier else ""


def last_payment(order: Order) -> Payment | None:
    """The payment that counts: the one that went furthest, else the last one tried."""
    payments = list(order.payments.all())
    return next((payment for payment in payments if payment.state != PaymentState.FAILED), payments[-1] if payments else None)


def _kept(order: Order, record: PersonalRecord) -> Kept:
    _attach(order, record)
    lifetime = record.lifetime
    return Kept(str(record._meta.verbose_name), lifetime.leaves_at(record), lifetime.until)


def _attach(order: Order, record: PersonalRecord) -> None:
    """The way to ``order.closed_at`` is known already; following it in the database would cost a query a record."""
    if isinstance(record, OrderContact | OrderAddress):
        record.order = order
    elif isinstance(record, ParcelLabel):
        record.parcel = next(parcel for parcel in order.parcels.all() if parcel.pk == record.parcel_id)
        record.parcel.order = order
    elif isinstance(record, PaymentDetail):
        record.payment = next(payment for payment in order.payments.all() if payment.pk == record.payment_id)
        record.payment.order = order
    elif isinstance(record, InvoiceParty):
        record.invoice = order.invoice


def _receiver(disclosures: list[Any]) -> Receiver:
    recipient: Recipient = disclosures[0].recipient
    names = sorted({name for disclosure in disclosures for name in disclosure.categories})
    return Receiver(recipient.name, recipient.get_kind_display(), [str(Category(name).label) for name in names], disclosures[0].at)
