"""A customer's own orders. Another person's order is not found."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from orders.invoices.models import Invoice, InvoiceParty
from orders.lifecycle.actions import CANCELABLE, cancel_order
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.forms import CancelForm, RetryForm
from orders.lifecycle.models import Order, OrderAddress, OrderContact, OrderState
from orders.lifecycle.queries import orders_for_list, orders_of, orders_with_case
from orders.lifecycle.steps import steps_of
from orders.parcels.models import ParcelLabel, ParcelState
from orders.payments.actions import retry_payment
from orders.payments.errors import NothingToRetry
from orders.payments.models import PaymentDetail, PaymentState
from privacy.access.gate import Grant, open_for_unit
from privacy.consent.queries import permissions_of
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor

PER_PAGE = 20


@login_required
@never_cache
@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(orders_for_list(_actor(request).id), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "orders/list.html", {"page": page})


@login_required
@never_cache
@require_safe
def order_page(request: HttpRequest, code: str) -> HttpResponse:
    order = get_object_or_404(orders_with_case(orders_of(_actor(request).id)), code=code)
    return render(request, "orders/detail.html", _order_context(request, order))


@login_required
@never_cache
@require_GET
def cancel_plan(request: HttpRequest, code: str) -> HttpResponse:
    """What canceling does, before it is done."""
    order = _own_order(request, code)
    if not may_cancel(order):
        messages.info(request, _("This order can no longer be canceled."))
        return redirect(order)
    return render(request, "orders/cancel.html", {"order": order, "form": CancelForm()})


@login_required
@require_POST
def cancel(request: HttpRequest, code: str) -> HttpResponse:
    order = _own_order(request, code)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return render(request, "orders/cancel.html", {"order": order, "form": form}, status=422)
    try:
        cancel_order(by=_actor(request), order=order, reason="by_customer")
        messages.success(request, _("Your order is canceled. Money that was set aside or taken goes back to you."))
    except TransitionRefused:
        messages.error(request, _("This order can no longer be canceled: it has been packed or has ended."))
    return redirect(order)


@login_required
@require_POST
def retry(request: HttpRequest, code: str) -> HttpResponse:
    order = _own_order(request, code)
    form = RetryForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please choose how to pay."))
        return redirect(order)
    try:
        retry_payment(by=_actor(request), order=order, method=form.cleaned_data["method"])
        messages.success(request, _("We have asked your bank again."))
    except (NothingToRetry, TransitionRefused):
        messages.info(request, _("There is no payment to try again."))
    return redirect(order)


@login_required
@never_cache
@require_safe
def invoice_page(request: HttpRequest, code: str) -> HttpResponse:
    actor = _actor(request)
    order = get_object_or_404(orders_of(actor.id).prefetch_related("lines"), code=code)
    invoice = get_object_or_404(Invoice.objects.select_related("issuer"), order=order)
    party = InvoiceParty.objects.filter(subject_id=_id(actor), invoice=invoice).first()
    grant = open_for_unit(by=actor, purpose=Purpose.RIGHTS, subject=actor.id)
    context = {
        "order": order,
        "invoice": invoice,
        "party": party,
        "grant": grant,
        "rates": _rates(order),
        "issuer": invoice.issuer.lines if invoice.issuer else [],
    }
    return render(request, "orders/invoice.html", context)


def may_cancel(order: Order) -> bool:
    """As the customer's page shows it; the action decides again under lock."""
    packed = any(parcel.state != ParcelState.PLANNED for parcel in order.parcels.all())
    return order.state in CANCELABLE and not packed


def _order_context(request: HttpRequest, order: Order) -> dict[str, Any]:
    actor = _actor(request)
    own = {"subject_id": _id(actor)}
    payments = list(order.payments.all())
    parcels = list(order.parcels.all())
    failed = bool(payments) and all(payment.state == PaymentState.FAILED for payment in payments)
    return {
        "order": order,
        "steps": steps_of(order),
        "is_waiting": order.is_open and not failed,
        "may_cancel": may_cancel(order),
        "retry_form": RetryForm() if failed and order.state == OrderState.PENDING_PAYMENT else None,
        "invoice": getattr(order, "invoice", None),
        "refunded": sum(payment.refunded for payment in payments),
        "contact": OrderContact.objects.filter(**own, order=order).first(),
        "address": OrderAddress.objects.filter(**own, order=order).first(),
        "label": ParcelLabel.objects.filter(**own, parcel__in=parcels).first() if parcels else None,
        "detail": PaymentDetail.objects.filter(**own, payment__in=payments).order_by("-id").first(),
        **_grants(actor),
    }


def _grants(actor: Actor) -> dict[str, Grant]:
    """Each value is opened for the purpose it was given for; once that permission is gone, as the person's right."""
    given = {permission.purpose for permission in permissions_of(_id(actor)) if permission.is_given}

    def opened_for(purpose: Purpose) -> Grant:
        return open_for_unit(by=actor, purpose=purpose if purpose in given else Purpose.RIGHTS, subject=actor.id)

    return {
        "for_order": opened_for(Purpose.ORDER),
        "for_dispatch": opened_for(Purpose.DISPATCH),
        "for_payment": opened_for(Purpose.PAYMENT),
    }


def _rates(order: Order) -> list[dict[str, Any]]:
    """Gross, tax and net per tax rate, as an invoice must show them (UStG § 14(4) no. 7 and 8)."""
    sums: dict[int, list[int]] = {}
    for line in order.lines.all():
        row = sums.setdefault(line.tax_rate, [0, 0])
        row[0] += line.total + line.shipping_share
        row[1] += line.tax
    return [
        {"percent": f"{rate / 100:g}", "gross": gross, "tax": tax, "net": gross - tax}
        for rate, (gross, tax) in sorted(sums.items(), reverse=True)
    ]


def _own_order(request: HttpRequest, code: str) -> Order:
    return get_object_or_404(orders_of(_actor(request).id), code=code)


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _id(actor: Actor) -> UUID:
    if actor.id is None:
        raise PermissionDenied
    return actor.id
