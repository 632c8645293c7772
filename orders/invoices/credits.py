"""Correcting an invoice: a credit note for each refund, in a series of its own without gaps (UStG § 14c, § 17)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from django.db.models import Sum
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from orders.invoices.actions import next_number
from orders.invoices.models import CreditNote, CreditNoteParty, CreditNoteRate, Invoice, InvoiceParty
from orders.lifecycle.models import Order, OrderEvent
from orders.lifecycle.timeline import append_event
from orders.money import contained_tax, split_by_weight
from orders.payments.models import Refund
from orders.withdrawals.models import ContractWithdrawal
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.policy.models import OperatorIdentity
from privacy.policy.roles import Actor

SERIES = "C"


def issue_credit_note(order: Order, refund: Refund, *, by: Actor) -> CreditNote | None:
    """Correct the invoice of a locked order by one refund that went through, once; None where nothing was billed."""
    invoice = Invoice.objects.filter(order=order).first()
    if invoice is None or CreditNote.objects.filter(refund=refund).exists():
        return CreditNote.objects.filter(refund=refund).first()
    rates = split_credit(refund.amount, _still_billed(invoice), _given_up(refund))
    issued_at = timezone.now()
    series = f"{SERIES}{timezone.localtime(issued_at).year}"
    note = CreditNote.objects.create(
        invoice=invoice,
        refund=refund,
        series=series,
        number=next_number(series),
        issued_at=issued_at,
        issuer=OperatorIdentity.objects.first(),
        currency=invoice.currency,
        total=refund.amount,
        tax_total=sum(tax for _, tax in rates.values()),
    )
    CreditNoteRate.objects.bulk_create(
        CreditNoteRate(credit_note=note, tax_rate=rate, gross=gross, tax=tax) for rate, (gross, tax) in rates.items()
    )
    _copy_party(order, invoice, note, by)
    append_event(order, OrderEvent.Kind.CREDITED, by=by)
    record(Event.CREDIT_NOTE_ISSUED, by=by, subject=order.subject_id, object=note, case=order)
    return note


def split_credit(amount: int, left: Mapping[int, tuple[int, int]], weights: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Gross and tax of a credit by tax rate; ``left`` is gross and tax that are still billed, at least ``amount``.

    ``weights`` (the goods that were given up) decide where they fit into what is still billed, otherwise that does.
    The last credit at a rate takes what is left of its tax, so that nothing is lost to rounding.
    """
    gross = _split(amount, weights) if weights else {}
    if not gross or any(part > left.get(rate, (0, 0))[0] for rate, part in gross.items()):
        gross = _split(amount, {rate: billed for rate, (billed, _) in left.items()})
    return {rate: (part, _tax(part, rate, left[rate])) for rate, part in gross.items() if part}


def _tax(amount: int, rate: int, left: tuple[int, int]) -> int:
    gross_left, tax_left = left
    return tax_left if amount == gross_left else min(contained_tax(amount, rate), tax_left)


def _still_billed(invoice: Invoice) -> dict[int, tuple[int, int]]:
    """Gross and tax of the invoice by rate, without what was credited before."""
    billed: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for line in invoice.order.lines.all():
        gross, tax = billed[line.tax_rate]
        billed[line.tax_rate] = (gross + line.total + line.shipping_share, tax + line.tax)
    credited = CreditNoteRate.objects.filter(credit_note__invoice=invoice).order_by().values("tax_rate")
    for row in credited.annotate(gross_sum=Sum("gross"), tax_sum=Sum("tax")):
        gross, tax = billed[row["tax_rate"]]
        billed[row["tax_rate"]] = (gross - row["gross_sum"], tax - row["tax_sum"])
    return dict(billed)


def _given_up(refund: Refund) -> dict[int, int]:
    """Price of the goods of a withdrawal by rate; nothing where the delivery goes back too, for then all that is left does."""
    withdrawal = ContractWithdrawal.objects.filter(refund=refund).first()
    if withdrawal is None:
        return {}
    weights: dict[int, int] = defaultdict(int)
    for given_up in withdrawal.lines.select_related("line"):
        weights[given_up.line.tax_rate] += given_up.total
    return dict(weights) if refund.amount <= sum(weights.values()) else {}


def _split(amount: int, weights: Mapping[int, int]) -> dict[int, int]:
    rates = sorted(weights)
    return dict(zip(rates, split_by_weight(amount, [weights[rate] for rate in rates]), strict=True))


def _copy_party(order: Order, invoice: Invoice, note: CreditNote, by: Actor) -> None:
    """Who was billed, as the invoice says; nobody where the invoice names nobody any more."""
    party = InvoiceParty.objects.filter(subject=order.subject, invoice=invoice).first()
    if party is None:
        return
    with open_access(by=by, purpose=Purpose.LEGAL, subject=party.subject_id, case=Reference.to(note), writes=Event.DATA_COLLECTED) as grant:
        name, address = grant.read(party.name) or "", grant.read(party.address) or ""
        CreditNoteParty.objects.create(subject_id=party.subject_id, credit_note=note, name=name, address=address)
