"""Cancel a purchase: the entry for everybody, the statement with its one button, and the acknowledgement to keep."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from orders.guests.forms import LookupForm
from orders.guests.models import LeadsTo
from orders.lifecycle.actions import CANCELABLE, ON_ITS_WAY
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.models import Order, OrderContact
from orders.lifecycle.queries import orders_of
from orders.withdrawals.actions import declare_withdrawal
from orders.withdrawals.deadlines import REFUND_DAYS, WITHDRAWAL_DAYS, last_day_to_withdraw, refund_until, send_back_until
from orders.withdrawals.forms import StatementForm
from orders.withdrawals.models import ContractWithdrawal
from orders.withdrawals.queries import WITHDRAWABLE, orders_to_withdraw_from, pieces_left, withdrawals_of
from privacy.access.gate import open_for_unit
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from privacy.rights.views.own import actor_of, own_page, subject_id_of

PER_PAGE = 20
Outcome = ContractWithdrawal.Outcome


@never_cache
@require_safe
def cancel_purchase(request: HttpRequest) -> HttpResponse:
    """Where the link in every footer leads; without an account it goes on by mail."""
    actor = actor_of(request)
    context: dict[str, Any] = {"days": WITHDRAWAL_DAYS, "refund_days": REFUND_DAYS}
    if actor.role == Role.CUSTOMER and actor.id is not None:
        orders = orders_to_withdraw_from(actor.id)
        return render(
            request, "orders/cancel_purchase.html", context | {"page": Paginator(orders, PER_PAGE).get_page(request.GET.get("page"))}
        )
    return render(request, "orders/cancel_purchase.html", context | {"form": LookupForm(initial={"leads_to": LeadsTo.WITHDRAWAL})})


@own_page
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    """The statement, and by its button the declaration; a second click leads to the first one's acknowledgement."""
    order = get_object_or_404(orders_of(subject_id_of(request)).prefetch_related("lines", "parcels"), code=code)
    left = pieces_left(order) if order.state in WITHDRAWABLE else {}
    if not left:
        return _nothing_left(request, order)
    form = StatementForm(request.POST if request.method == "POST" else None, left=left, initial={"token": uuid4()})
    if not form.is_valid():
        return render(request, "orders/withdraw.html", _statement(request, order, form), status=422 if form.errors else 200)
    try:
        declare_withdrawal(by=actor_of(request), order=order, token=form.cleaned_data["token"], quantities=form.quantities)
    except TransitionRefused:
        messages.warning(request, _("Nothing was changed: your order has changed since you opened the page. Please look again."))
        return redirect("orders:withdraw", order.code)
    return redirect("orders:withdrawals", order.code)


@own_page
@require_safe
def withdrawals(request: HttpRequest, code: str) -> HttpResponse:
    """What was declared for one order and when, to keep or print, and what happens next."""
    order = get_object_or_404(orders_of(subject_id_of(request)), code=code)
    declared = [_acknowledgement(withdrawal) for withdrawal in withdrawals_of(order)]
    context = {"order": order, "acknowledgements": declared, **_person(request, order)}
    return render(request, "orders/withdrawals.html", context)


def _nothing_left(request: HttpRequest, order: Order) -> HttpResponse:
    if order.withdrawals.exists():
        return redirect("orders:withdrawals", order.code)
    messages.info(request, _("This order has ended: there is no purchase to cancel."))
    return redirect(order)


def _statement(request: HttpRequest, order: Order, form: StatementForm) -> dict[str, Any]:
    until = last_day_to_withdraw(order)
    on_its_way = any(parcel.state in ON_ITS_WAY for parcel in order.parcels.all())
    return {
        "order": order,
        "form": form,
        "until": until,
        "is_late": until is not None and timezone.localdate() > until,
        "is_here": order.state in CANCELABLE and not on_its_way,
        "days": WITHDRAWAL_DAYS,
        "refund_days": REFUND_DAYS,
        **_person(request, order),
    }


def _person(request: HttpRequest, order: Order) -> dict[str, Any]:
    """Who declares, and where the acknowledgement goes, both from the order."""
    subject_id = subject_id_of(request)
    return {
        "contact": OrderContact.objects.filter(subject_id=subject_id, order=order).first(),
        "grant": open_for_unit(by=actor_of(request), purpose=Purpose.RIGHTS, subject=subject_id),
    }


def _acknowledgement(withdrawal: ContractWithdrawal) -> dict[str, Any]:
    declared_at = withdrawal.declared_at
    return {
        "withdrawal": withdrawal,
        "send_back_until": send_back_until(declared_at),
        "refund_until": refund_until(declared_at),
        "is_canceled": withdrawal.outcome == Outcome.CANCELED,
        "is_exempt": withdrawal.outcome == Outcome.EXEMPT,
        "is_refunded": withdrawal.outcome == Outcome.REFUNDED,
    }
