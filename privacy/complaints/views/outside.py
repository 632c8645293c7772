"""The complaint form for people without an account, and the mailed links that let them in (RIGHTS-5, RIGHTS-10)."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from privacy.access.guests import begin_guest_session
from privacy.access.limits import is_overdone, network_digest
from privacy.access.places import behind_wall_of, elsewhere, person_of_form
from privacy.complaints.actions import confirm_ticket, send_link_again, write_from_outside
from privacy.complaints.clocks import UNCONFIRMED_FOR
from privacy.complaints.errors import LinkUsed, TicketRefused
from privacy.complaints.forms import ComplainForm, token_of_form
from privacy.complaints.queries import person_of_link
from privacy.policy.roles import ANONYMOUS, Role
from privacy.rights.forms import ButtonForm
from privacy.rights.views.own import actor_of
from privacy.vault.blind_index import blind_index, normalize_email
from privacy.wall.context import Place

FROM_ONE_PLACE = 10
TO_ONE_MAILBOX = 3
FROM_EVERYWHERE = 300
EVERYWHERE = b"everywhere"


def _behind_form(request: HttpRequest) -> Place | None:
    token = token_of_form(request.POST.get("shown", ""))
    return behind_wall_of(person_of_form(token)) if token and actor_of(request).id is None else None


def _behind_link(request: HttpRequest, token: str) -> Place:
    return behind_wall_of(person_of_link(token))


@elsewhere("whoever writes is the new person of the form", _behind_form)
@never_cache
@require_http_methods(["GET", "POST"])
def complain(request: HttpRequest) -> HttpResponse:
    """One answer for every address: nothing is looked up, and a mail goes out to whatever was typed."""
    if actor_of(request).id is not None and actor_of(request).role == Role.CUSTOMER:
        return redirect("privacy:new-ticket")
    form = ComplainForm(request.POST or None)
    if not form.is_valid():
        return render(request, "privacy/tickets/complain.html", {"form": form}, status=422 if form.errors else 200)
    if form.is_by_a_program:
        return redirect("privacy:complain-sent")
    if _is_flooded(request, form.cleaned_data["email"]):
        form.add_error(None, _("Too many messages are coming in at this moment. Your text is still here: please send it again in an hour."))
        return render(request, "privacy/tickets/complain.html", {"form": form}, status=429)
    try:
        write_from_outside(by=ANONYMOUS, locale=get_language() or "", **form.written)
    except TicketRefused as refusal:
        form.add_error("body", str(refusal))
        return render(request, "privacy/tickets/complain.html", {"form": form}, status=422)
    return redirect("privacy:complain-sent")


def _is_flooded(request: HttpRequest, email: str) -> bool:
    """Counted by keyed digests: from one place, to one mailbox, and in all, so that many places do not add up."""
    return (
        is_overdone("complain-from", network_digest(request), FROM_ONE_PLACE)
        or is_overdone("complain-to", blind_index("mailbox", normalize_email(email)), TO_ONE_MAILBOX)
        or is_overdone("complain", EVERYWHERE, FROM_EVERYWHERE)
    )


@never_cache
@require_GET
def sent(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy/tickets/complain_sent.html", {"hours": int(UNCONFIRMED_FOR.total_seconds() // 3600)})


@elsewhere("a mailed link lets in whose message it names", _behind_link)
@never_cache
@require_http_methods(["GET", "POST"])
def follow_link(request: HttpRequest, token: str) -> HttpResponse:
    """A link works once, by a button: programs that look into mails follow links, and press nothing."""
    form = ButtonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "privacy/tickets/link.html", {"form": form, "token": token})
    try:
        ticket = confirm_ticket(by=ANONYMOUS, token=token)
    except LinkUsed as refusal:
        context = {"token": token, "is_known": refusal.is_known}
        return render(request, "privacy/tickets/link_used.html", context, status=410)
    begin_guest_session(request, ticket.subject_id)
    return redirect(ticket)


@elsewhere("a mailed link is answered by another to the same mailbox", _behind_link)
@never_cache
@require_POST
def link_again(request: HttpRequest, token: str) -> HttpResponse:
    """The same answer whether there was such a link or not."""
    if ButtonForm(request.POST).is_valid() and not is_overdone("complain-from", network_digest(request), FROM_ONE_PLACE):
        with suppress(LinkUsed):
            send_link_again(by=ANONYMOUS, token=token)
    return redirect("privacy:complain-sent")
