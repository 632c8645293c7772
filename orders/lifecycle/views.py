"""A customer's own orders. Another person's order is not found."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from orders.invoices.models import CreditNote, CreditNoteParty, Invoice, InvoiceParty
from orders.invoices.sums import sums_by_rate
from orders.lifecycle.actions import CANCELABLE, cancel_order
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.forms import CancelForm, RetryForm
from orders.lifecycle.models import Order, OrderState
from orders.lifecycle.page import carrier_name, kept_of, last_payment, personal_records, receivers_of
from orders.lifecycle.queries import Shown, orders_for_list, orders_of, orders_with_case
from orders.lifecycle.steps import steps_of
from orders.parcels.models import ParcelState
from orders.payments.actions import retry_payment
from orders.payments.errors import NothingToRetry
from orders.payments.models import PaymentState
from orders.withdrawals.deadlines import last_day_to_withdraw
from orders.withdrawals.queries import WITHDRAWABLE, pieces_left
from privacy.access.gate import Grant, open_for_unit
from privacy.consent.queries import permissions_of
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.rights.views.own import actor_of, own_page, subject_id_of

PER_PAGE = 20


@own_page
@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    shown = request.GET.get("show", "")
    shown = shown if shown in Shown else Shown.ALL
    orders = orders_for_list(subject_id_of(request), shown)
    page = Paginator(orders, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "shown": shown, "choices": Shown.choices, "keep": "" if shown == Shown.ALL else f"show={shown}&"}
    return render(request, "orders/list.html", context)


@own_page
@require_safe
def order_page(request: HttpRequest, code: str) -> HttpResponse:
    order = get_object_or_404(orders_with_case(orders_of(actor_of(request).id)), code=code)
    return render(request, "orders/detail.html", _order_context(request, order))


@own_page
@require_GET
def cancel_plan(request: HttpRequest, code: str) -> HttpResponse:
    """What canceling does, before it is done."""
    order = _own_order(request, code)
    if not may_cancel(order):
        messages.info(request, _("This order can no longer be canceled."))
        return redirect(order)
    return render(request, "orders/cancel.html", {"order": order, "form": CancelForm()})


@own_page
@require_POST
def cancel(request: HttpRequest, code: str) -> HttpResponse:
    order = _own_order(request, code)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return render(request, "orders/cancel.html", {"order": order, "form": form}, status=422)
    try:
        cancel_order(by=actor_of(request), order=order, reason="by_customer")
        messages.success(request, _("Your order is canceled. Money that was set aside or taken goes back to you."))
    except TransitionRefused:
        messages.error(request, _("This order can no longer be canceled: it has been packed or has ended."))
    return redirect(order)


@own_page
@require_POST
def retry(request: HttpRequest, code: str) -> HttpResponse:
    order = _own_order(request, code)
    form = RetryForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please choose how to pay."))
        return redirect(order)
    try:
        retry_payment(by=actor_of(request), order=order, method=form.cleaned_data["method"])
        messages.success(request, _("We have asked your bank again."))
    except (NothingToRetry, TransitionRefused):
        messages.info(request, _("There is no payment to try again."))
    return redirect(order)


@own_page
@require_safe
def invoice_page(request: HttpRequest, code: str) -> HttpResponse:
    actor = actor_of(request)
    order = get_object_or_404(orders_of(actor.id).prefetch_related("lines"), code=code)
    invoice = get_object_or_404(Invoice.objects.select_related("issuer"), order=order)
    party = InvoiceParty.objects.filter(subject_id=subject_id_of(request), invoice=invoice).first()
    grant = open_for_unit(by=actor, purpose=Purpose.RIGHTS, subject=actor.id)
    context = {
        "order": order,
        "invoice": invoice,
        "party": party,
        "grant": grant,
        "rates": sums_by_rate(order),
        "issuer": invoice.issuer.lines if invoice.issuer else [],
    }
    return render(request, "orders/invoice.html", context)


def may_cancel(order: Order) -> bool:
    """As the customer's page shows it; the action decides again under lock."""
    packed = any(parcel.state != ParcelState.PLANNED for parcel in order.parcels.all())
    return order.state in CANCELABLE and not packed


@own_page
@require_safe
def credit_notes(request: HttpRequest, code: str) -> HttpResponse:
    """What was taken back of the invoice of one order, to keep or print."""
    subject_id = subject_id_of(request)
    order = get_object_or_404(orders_of(subject_id).select_related("invoice"), code=code)
    notes = CreditNote.objects.filter(invoice__order=order).select_related("issuer", "refund").prefetch_related("rates")
    parties = {party.credit_note_id: party for party in CreditNoteParty.objects.filter(subject_id=subject_id, credit_note__in=notes)}
    context = {
        "order": order,
        "notes": [(note, parties.get(note.pk)) for note in notes],
        "grant": open_for_unit(by=actor_of(request), purpose=Purpose.RIGHTS, subject=subject_id),
    }
    return render(request, "orders/credit_notes.html", context)


def _order_context(request: HttpRequest, order: Order) -> dict[str, Any]:
    subject_id = subject_id_of(request)
    payments = list(order.payments.all())
    failed = bool(payments) and all(payment.state == PaymentState.FAILED for payment in payments)
    records = personal_records(order, subject_id)
    invoice = getattr(order, "invoice", None)
    until = last_day_to_withdraw(order)
    return {
        "order": order,
        "steps": steps_of(order),
        "is_waiting": order.is_open and not failed,
        "may_cancel": may_cancel(order),
        # After that day the page for everybody still takes a statement; this one no longer offers it.
        "may_withdraw": order.state in WITHDRAWABLE and (until is None or timezone.localdate() <= until) and bool(pieces_left(order)),
        "withdraw_until": until,
        "retry_form": RetryForm() if failed and order.state == OrderState.PENDING_PAYMENT else None,
        "invoice": invoice,
        "has_credit_notes": invoice is not None and invoice.credit_notes.exists(),
        "payment": last_payment(order),
        "refunded": sum(payment.refunded for payment in payments),
        "carrier": carrier_name(),
        "receivers": receivers_of(order, subject_id),
        "kept": kept_of(order, records.values()),
        **records,
        **_grants(actor_of(request)),
    }


def _grants(actor: Actor) -> dict[str, Grant]:
    """Each value is opened for the purpose it was given for; once that permission is gone, as the person's right."""
    given = {permission.purpose for permission in permissions_of(actor.id) if permission.is_given}  # type: ignore[arg-type]

    def opened_for(purpose: Purpose) -> Grant:
        return open_for_unit(by=actor, purpose=purpose if purpose in given else Purpose.RIGHTS, subject=actor.id)

    return {
        "for_order": opened_for(Purpose.ORDER),
        "for_dispatch": opened_for(Purpose.DISPATCH),
        "for_payment": opened_for(Purpose.PAYMENT),
    }


def _own_order(request: HttpRequest, code: str) -> Order:
    return get_object_or_404(orders_of(actor_of(request).id), code=code)
