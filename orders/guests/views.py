"""Find an order without an account. Each answer is the same whatever is true; what is true goes to the mailbox."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from orders.guests.actions import address_digest, admit_guest, request_link, request_new_link
from orders.guests.errors import LinkInvalid
from orders.guests.forms import LookupForm
from orders.guests.links import person_of_link, usable_link
from orders.guests.models import GuestLink, LeadsTo
from orders.lifecycle.queries import orders_of
from privacy.access.guests import begin_guest_session
from privacy.access.limits import is_overdone, network_digest
from privacy.access.places import at_the_gate, behind_wall_of, elsewhere
from privacy.rights.forms import ButtonForm
from privacy.rights.views.own import actor_of, guest_of, own_page
from privacy.vault.blind_index import blind_index
from privacy.wall.context import Place

LOOKUPS_AN_HOUR = 30
PAGES = {LeadsTo.ORDER: "orders:detail", LeadsTo.WITHDRAWAL: "orders:withdraw"}


@at_the_gate("an order that may be anybody's, and is not looked for")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lookup(request: HttpRequest) -> HttpResponse:
    """Above a limit the answer stays the same and no further mail goes out; the links mailed before keep working."""
    asked = {"code": request.GET.get("code", ""), "leads_to": request.GET.get("for", "")}
    form = LookupForm(request.POST) if request.method == "POST" else LookupForm(initial=asked)
    if not form.is_valid():
        return render(request, "orders/lookup.html", {"form": form}, status=422 if form.errors else 200)
    if not _is_overdone(request, form.cleaned_data["code"], form.cleaned_data["email"]):
        request_link(by=actor_of(request), locale=get_language() or "en", **form.cleaned_data)
    return redirect("orders:lookup-sent")


@require_safe
def lookup_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/lookup_sent.html")


def _behind_link(request: HttpRequest, token: str) -> Place:
    return behind_wall_of(person_of_link(token))


@elsewhere("a mailed link lets in whose order it names", _behind_link)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def guest(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link shows a button and uses nothing up, because mail scanners open links; the button lets in."""
    if request.method == "POST" and not request.user.is_authenticated:
        response = _let_in(request, token)
    else:
        response = _door(request, usable_link(token))
    response["Referrer-Policy"] = "no-referrer"
    return response


@own_page
@require_http_methods(["GET", "HEAD", "POST"])
def new_link(request: HttpRequest) -> HttpResponse:
    """Another link for a guest who is let in, to the mailbox of their own order."""
    order = orders_of(actor_of(request).id).filter(is_guest=True).first()
    if guest_of(request) is None or order is None:
        return redirect("orders:list")
    form = ButtonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "orders/new_link.html", {"order": order, "form": form}, status=422 if form.errors else 200)
    if not is_overdone("lookup-order", _code_digest(order.code)):
        request_new_link(by=actor_of(request), order=order, locale=get_language() or "en")
    return redirect("orders:lookup-sent")


def _door(request: HttpRequest, link: GuestLink | None) -> HttpResponse:
    if link is None:
        return render(request, "orders/link_invalid.html", status=410)
    return render(request, "orders/guest.html", {"order": link.order})


def _let_in(request: HttpRequest, token: str) -> HttpResponse:
    if not ButtonForm(request.POST).is_valid():
        return _door(request, usable_link(token))
    try:
        link = admit_guest(by=actor_of(request), token=token)
    except LinkInvalid:
        return _door(request, None)
    begin_guest_session(request, link.order.person.pk)
    return redirect(PAGES[LeadsTo(link.leads_to)], link.order.code)


def _is_overdone(request: HttpRequest, code: str, email: str) -> bool:
    """Counted by order, by mailbox and by where it comes from; each try counts everywhere."""
    counts = [
        is_overdone("lookup-order", _code_digest(code)),
        is_overdone("lookup-mailbox", address_digest(email)),
        is_overdone("lookup-network", network_digest(request), LOOKUPS_AN_HOUR),
    ]
    return any(counts)


def _code_digest(code: str) -> bytes:
    return blind_index("order-code", code)
