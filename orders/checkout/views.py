from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from orders.basket.contents import BasketItem, empty_basket, read_basket
from orders.catalogue.errors import OutOfStock
from orders.checkout.actions import ORDER_PURPOSES, order_of_form, place_order
from orders.checkout.addresses import ADDRESS_FIELDS
from orders.checkout.errors import CheckoutTokenTaken
from orders.checkout.forms import CheckoutForm
from orders.checkout.prices import Quote, quote
from orders.checkout.shipping import DELIVERY_COUNTRIES
from orders.checkout.vat import is_export
from orders.lifecycle.queries import orders_of
from privacy.access.gate import open_access
from privacy.consent.queries import has_consent, missing_purposes
from privacy.declarations.purposes import Purpose


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    placed = _already_placed(request)
    if placed:
        return placed
    items = read_basket(request.session)
    if not items or not all(item.is_available for item in items):
        return redirect("orders:basket")
    country = request.POST.get("country", "")
    country = country if country in DELIVERY_COUNTRIES else ""
    quoted = quote([(item.product, item.quantity) for item in items], country) if country else None
    if "place" in request.POST and request.POST.get("fields_for", "") == country:
        return _place(request, items, country, quoted)
    return _page(request, items, _fresh_form(request, country, quoted), quoted)


@login_required
@require_safe
def placed(request: HttpRequest, code: str) -> HttpResponse:
    order = get_object_or_404(orders_of(request.actor.id).prefetch_related("lines"), code=code)  # type: ignore[attr-defined]
    return render(request, "orders/placed.html", {"order": order})


def _already_placed(request: HttpRequest) -> HttpResponse | None:
    """A second submit of a form leads to the order that the first one placed."""
    try:
        token = UUID(request.POST.get("token", ""))
    except ValueError:
        return None
    order = order_of_form(request.user.subject, token)  # type: ignore[union-attr]
    return redirect("orders:placed", order.code) if order else None


def _place(request: HttpRequest, items: list[BasketItem], country: str, quoted: Quote | None) -> HttpResponse:
    form = _form(request, country, data=request.POST)
    if not form.is_valid() or quoted is None:
        return _page(request, items, form, quoted)
    if form.cleaned_data["total"] != quoted.total:
        messages.warning(request, _("The price has changed since you opened this page. Please look again."))
        return _page(request, items, _fresh_form(request, country, quoted), quoted)
    details = request.user.details  # type: ignore[union-attr]
    try:
        order = place_order(
            by=request.actor,  # type: ignore[attr-defined]
            subject=request.user.subject,  # type: ignore[union-attr]
            token=form.cleaned_data["token"],
            items=[(item.product, item.quantity) for item in items],
            country=country,
            address=form.address_values,
            name=details.name,
            email=details.email,
            method=form.cleaned_data["method"],
            permissions=form.permissions_given,
            locale=get_language() or "en",
        )
    except OutOfStock:
        messages.error(request, _("Somebody was faster: one of these products has just been sold. Nothing was ordered."))
        return redirect("orders:basket")
    except CheckoutTokenTaken:
        return redirect("orders:checkout")
    empty_basket(request.session)
    return redirect("orders:placed", order.code)


def _fresh_form(request: HttpRequest, country: str, quoted: Quote | None) -> CheckoutForm:
    """The form for a country, with what was typed so far and no complaints yet."""
    typed = {name: request.POST.get(name, "") for name in ("token", "method", *ADDRESS_FIELDS) if name in request.POST}
    initial: dict[str, Any] = {"token": uuid4(), **typed, "country": country, "fields_for": country}
    initial["total"] = quoted.total if quoted else ""
    return _form(request, country, initial=initial)


def _form(request: HttpRequest, country: str, **how: Any) -> CheckoutForm:
    missing = missing_purposes(request.actor.id, ORDER_PURPOSES)  # type: ignore[attr-defined]
    return CheckoutForm(country=country, permissions=missing, locale=get_language() or "en", **how)


def _page(request: HttpRequest, items: list[BasketItem], form: CheckoutForm, quoted: Quote | None) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    context = {
        "form": form,
        "items": items,
        "quote": quoted,
        "goods_total": sum(item.total for item in items),
        "currency": items[0].product.currency,
        "is_export": bool(quoted and is_export(quoted.country)),
        "details": request.user.details,  # type: ignore[union-attr]
    }
    purpose = Purpose.ORDER if has_consent(actor.id, Purpose.ORDER) else Purpose.ACCOUNT
    with open_access(by=actor, purpose=purpose, subject=actor.id) as grant:
        return render(request, "orders/checkout.html", context | {"grant": grant})
