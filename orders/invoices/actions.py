"""Issuing the bill when the money is taken."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db.models import F
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from orders.checkout.addresses import COUNTRY_NAMES, region_label
from orders.invoices.models import Invoice, InvoiceCounter, InvoiceParty
from orders.lifecycle.models import Order, OrderAddress, OrderContact, OrderEvent
from orders.lifecycle.timeline import append_event
from privacy.access.errors import AccessDenied
from privacy.access.gate import Grant, open_access
from privacy.declarations.purposes import Purpose
from privacy.policy.models import OperatorIdentity
from privacy.policy.roles import Actor
from privacy.vault.sealed import Sealed


def issue_invoice(order: Order, *, by: Actor) -> Invoice:
    """Bill a locked order once. The number is taken last, so that the counter is locked for a moment only."""
    existing = Invoice.objects.filter(order=order).first()
    if existing:
        return existing
    name, address = _billed(order, by)
    issued_at = timezone.now()
    series = str(timezone.localtime(issued_at).year)
    invoice = Invoice.objects.create(
        order=order,
        series=series,
        number=next_number(series),
        issued_at=issued_at,
        issuer=OperatorIdentity.objects.first(),
        currency=order.currency,
        total=order.total,
        tax_total=order.tax_total,
    )
    with open_access(by=by, purpose=Purpose.LEGAL, subject=order.person, case=Reference.to(invoice), writes=Event.DATA_COLLECTED):
        InvoiceParty.objects.create(subject=order.person, invoice=invoice, name=name, address=address)
    append_event(order, OrderEvent.Kind.INVOICED, by=by)
    record(Event.INVOICE_ISSUED, by=by, subject=order.subject_id, object=invoice, case=order)
    return invoice


def next_number(series: str) -> int:
    """The next number, its counter locked until the transaction ends: a rolled back invoice leaves no gap."""
    InvoiceCounter.objects.get_or_create(series=series)
    InvoiceCounter.objects.filter(series=series).update(last_number=F("last_number") + 1)
    return InvoiceCounter.objects.get(series=series).last_number


def _billed(order: Order, by: Actor) -> tuple[str, str]:
    """Name and address to bill; without the permission to deliver, the name and country that tax law asks for.

    A refusal here must not undo the entry of money that has moved.
    """
    case = Reference.to(order)
    try:
        with open_access(by=by, purpose=Purpose.DISPATCH, subject=order.person, case=case) as grant:
            address = OrderAddress.objects.get(subject=order.person, order=order)
            held = partial(_held, grant)
            return held(address.addressee), "\n".join(address_lines(address, held))
    except AccessDenied:
        with open_access(by=by, purpose=Purpose.LEGAL, subject=order.person, case=case) as grant:
            contact = OrderContact.objects.get(subject=order.person, order=order)
            return _held(grant, contact.name), str(COUNTRY_NAMES[order.country])


def _held(grant: Grant, value: Sealed | None) -> str:
    """A damaged value is left out: money that has moved is billed all the same."""
    return grant.read(value) or ""


def address_lines(address: OrderAddress, opened: Callable[[Sealed | None], str]) -> list[str]:
    """The address below the name as ``opened`` gives its parts, one line a row, country last."""
    region = opened(address.region)
    town = " ".join(part for part in (opened(address.postcode), opened(address.locality)) if part)
    lines = [opened(address.line1), opened(address.line2), opened(address.district), town]
    lines.append(region_label(address.country, region) if region else "")
    return [line for line in lines if line] + [str(COUNTRY_NAMES[address.country])]
