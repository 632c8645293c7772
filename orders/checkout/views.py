"""One page from the basket to the order, with an account or without."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from orders.basket.contents import BasketItem, empty_basket, read_basket
from orders.catalogue.errors import OutOfStock
from orders.checkout.actions import ORDER_PURPOSES, guest_order_of_form, order_of_form, place_guest_order, place_order
from orders.checkout.addresses import ADDRESS_FIELDS
from orders.checkout.errors import CheckoutTokenTaken
from orders.checkout.forms import CONTACT_FIELDS, CheckoutForm
from orders.checkout.prices import Quote, quote
from orders.checkout.shipping import delivery_countries
from orders.checkout.vat import is_export
from orders.lifecycle.models import Order
from privacy.access.gate import open_access
from privacy.access.places import behind_wall_of, elsewhere, person_of_form
from privacy.consent.queries import has_consent, missing_purposes
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.wall.context import Place

PLACED = "placed_orders"
PLACED_SHOWN = 5


def _behind_form(request: HttpRequest) -> Place | None:
    token = _token_of_form(request)
    return behind_wall_of(person_of_form(token)) if token and _orders_as_guest(request) else None


@elsewhere("a guest orders as the new person of the form", _behind_form)
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    if _actor(request).role != Role.CUSTOMER:
        return redirect("admin:index")
    placed_order = _already_placed(request)
    if placed_order:
        return _placed(request, placed_order)
    items = read_basket(request.session)
    if not items or not all(item.is_available for item in items):
        return redirect("orders:basket")
    country = request.POST.get("country", "")
    country = country if country in delivery_countries() else ""
    quoted = quote([(item.product, item.quantity) for item in items], country) if country else None
    if "place" in request.POST and request.POST.get("fields_for", "") == country:
        return _place(request, items, country, quoted)
    return _page(request, items, _fresh_form(request, country, quoted), quoted)


def _behind_order(request: HttpRequest, code: str) -> Place | None:
    person = request.session.get(PLACED, {}).get(code)
    return behind_wall_of(UUID(person)) if person else None


@elsewhere("a guest's browser shows what it has ordered", _behind_order)
@never_cache
@require_safe
def placed(request: HttpRequest, code: str) -> HttpResponse:
    """The confirmation, for the browser that ordered: the page names nobody."""
    person = request.session.get(PLACED, {}).get(code) or _actor(request).id
    if person is None:
        return redirect_to_login(request.get_full_path())
    order = get_object_or_404(Order.objects.prefetch_related("lines"), code=code, subject=person)
    return render(request, "orders/placed.html", {"order": order})


def _placed(request: HttpRequest, order: Order) -> HttpResponse:
    """The browser remembers what it ordered: a guest has no account that would show it."""
    shown = {**request.session.get(PLACED, {}), order.code: str(order.subject_id)}
    request.session[PLACED] = dict(list(shown.items())[-PLACED_SHOWN:])
    return redirect("orders:placed", order.code)


def _already_placed(request: HttpRequest) -> Order | None:
    """A second submit of a form leads to the order that the first one placed."""
    token = _token_of_form(request)
    if token is None:
        return None
    return guest_order_of_form(token) if _orders_as_guest(request) else order_of_form(request.user.subject, token)  # type: ignore[union-attr]


def _token_of_form(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("token", ""))
    except ValueError:
        return None


def _place(request: HttpRequest, items: list[BasketItem], country: str, quoted: Quote | None) -> HttpResponse:
    form = _form(request, country, data=request.POST)
    if not form.is_valid() or quoted is None:
        return _page(request, items, form, quoted)
    if form.cleaned_data["total"] != quoted.total:
        messages.warning(request, _("The price has changed since you opened this page. Please look again."))
        return _page(request, items, _fresh_form(request, country, quoted), quoted)
    try:
        order = _order(request, items, country, form)
    except OutOfStock:
        messages.error(request, _("Somebody was faster: one of these products has just been sold. Nothing was ordered."))
        return redirect("orders:basket")
    except CheckoutTokenTaken:
        return redirect("orders:checkout")
    empty_basket(request.session)
    return _placed(request, order)


def _order(request: HttpRequest, items: list[BasketItem], country: str, form: CheckoutForm) -> Order:
    purchase: dict[str, Any] = {
        "token": form.cleaned_data["token"],
        "items": [(item.product, item.quantity) for item in items],
        "country": country,
        "address": form.address_values,
        "method": form.cleaned_data["method"],
        "permissions": form.permissions_given,
        "locale": get_language() or "en",
    }
    if _orders_as_guest(request):
        return place_guest_order(**(purchase | form.contact))
    details = request.user.details  # type: ignore[union-attr]
    return place_order(by=_actor(request), subject=request.user.subject, name=details.name, email=details.email, **purchase)  # type: ignore[union-attr]


def _fresh_form(request: HttpRequest, country: str, quoted: Quote | None) -> CheckoutForm:
    """The form for a country, with what was typed so far and no complaints yet."""
    names = ("token", "method", *CONTACT_FIELDS, *ADDRESS_FIELDS)
    typed = {name: request.POST.get(name, "") for name in names if name in request.POST}
    initial: dict[str, Any] = {"token": uuid4(), **typed, "country": country, "fields_for": country}
    initial["total"] = quoted.total if quoted else ""
    return _form(request, country, initial=initial)


def _form(request: HttpRequest, country: str, **how: Any) -> CheckoutForm:
    """A guest is a new person with each order, and has permitted nothing yet."""
    is_guest = _orders_as_guest(request)
    missing = list(ORDER_PURPOSES) if is_guest else missing_purposes(_actor(request).id, ORDER_PURPOSES)  # type: ignore[arg-type]
    return CheckoutForm(country=country, permissions=missing, locale=get_language() or "en", is_guest=is_guest, **how)


def _page(request: HttpRequest, items: list[BasketItem], form: CheckoutForm, quoted: Quote | None) -> HttpResponse:
    context = {
        "form": form,
        "items": items,
        "quote": quoted,
        "goods_total": sum(item.total for item in items),
        "currency": items[0].product.currency,
        "is_export": bool(quoted and is_export(quoted.country)),
    }
    status = 422 if form.errors else 200
    if _orders_as_guest(request):
        return render(request, "orders/checkout.html", context, status=status)
    actor = _actor(request)
    purpose = Purpose.ORDER if has_consent(actor.id, Purpose.ORDER) else Purpose.ACCOUNT  # type: ignore[arg-type]
    with open_access(by=actor, purpose=purpose, subject=actor.id) as grant:
        details = request.user.details  # type: ignore[union-attr]
        form.initial.setdefault("addressee", grant.read(details.name) or "")
        return render(request, "orders/checkout.html", context | {"details": details, "grant": grant}, status=status)


def _orders_as_guest(request: HttpRequest) -> bool:
    return not request.user.is_authenticated


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]
