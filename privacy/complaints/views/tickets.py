"""A person's messages and complaints; nobody else's is ever found (RIGHTS-5, RIGHTS-6, RIGHTS-9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.models import Entry
from privacy.access.gate import Grant, open_for_unit
from privacy.complaints.abouts import about_in_words, abouts_of
from privacy.complaints.actions import open_ticket, post_message, reopen_ticket, withdraw_ticket
from privacy.complaints.attachments import open_attachment
from privacy.complaints.clocks import REOPEN_WITHIN
from privacy.complaints.errors import TicketRefused
from privacy.complaints.forms import MessageForm, NewTicketForm, ReopenForm
from privacy.complaints.models import PublicMessage, Ticket, TicketAttachment
from privacy.complaints.queries import attachment_of, entries_of, messages_page, own_entries, tickets_of
from privacy.complaints.timeline import steps_for_person
from privacy.complaints.views.files import file_response
from privacy.declarations.purposes import Purpose
from privacy.rights.forms import ButtonForm
from privacy.rights.uses import in_words
from privacy.rights.views.own import actor_of, own_page, subject_id_of, subject_of
from privacy.vault.errors import KeyDestroyed, Unreadable

TICKETS_A_PAGE = 20
CHOSEN = "chosen"


@own_page
@require_GET
def tickets(request: HttpRequest) -> HttpResponse:
    page = Paginator(tickets_of(subject_id_of(request)), TICKETS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "privacy/tickets/list.html", {"page": page})


@own_page
@require_http_methods(["GET", "POST"])
def new_ticket(request: HttpRequest) -> HttpResponse:
    """A new one; with ``?entry=`` a suspicion about those log entries."""
    subject_id = subject_id_of(request)
    entries = _entries_asked_about(request)
    if CHOSEN in request.GET and not entries:
        return _back_to_choose(request)
    form = NewTicketForm(
        abouts_of(subject_id), [entry.pk for entry in entries], *([request.POST, request.FILES] if request.method == "POST" else [])
    )
    if form.is_valid():
        try:
            ticket = open_ticket(by=actor_of(request), subject=subject_of(request), locale=get_language() or "", **form.asked)
        except TicketRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("We have your message. You hear from us by mail, and everything is on this page."))
            return redirect(ticket)
    context = {"form": form, "uses": [in_words(entry) for entry in entries]}
    return render(request, "privacy/tickets/new.html", context, status=422 if form.errors else 200)


def _back_to_choose(request: HttpRequest) -> HttpResponse:
    """To the list as it was filtered, when none of its entries was chosen."""
    messages.warning(request, _("Choose at least one entry first: tick the box before it."))
    filters = {name: text for name, text in request.GET.items() if name != CHOSEN}
    return redirect(reverse("privacy:uses", query=filters))


def _entries_asked_about(request: HttpRequest) -> list[Entry]:
    """The log entries named in the address or sent with the form; one that is not about this person is not found."""
    asked = (request.POST if request.method == "POST" else request.GET).getlist("entry")
    try:
        ids = {UUID(id) for id in asked}
    except ValueError:
        raise Http404 from None
    found = own_entries(subject_id_of(request), ids) if ids else []
    if len(found) != len(ids):
        raise Http404
    return found


@own_page
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """The conversation; a POST adds to it."""
    ticket = _own_ticket(request, ticket_id)
    if request.method == "GET":
        return _page(request, ticket)
    form = MessageForm(request.POST, request.FILES)
    given = form.cleaned_data if form.is_valid() else {}
    return _act(request, ticket, form, _("Sent."), lambda by: post_message(by=by, ticket=ticket, **given))


@own_page
@require_POST
def reopen(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    ticket = _own_ticket(request, ticket_id)
    form = ReopenForm(request.POST, request.FILES)
    given = form.cleaned_data if form.is_valid() else {}
    done = _("We look at it again.")
    return _act(request, ticket, form, done, lambda by: reopen_ticket(by=by, ticket=ticket, **given))


@own_page
@require_POST
def withdraw(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    ticket = _own_ticket(request, ticket_id)
    done = _("Taken back. We do not work on it any more.")
    return _act(request, ticket, ButtonForm(request.POST), done, lambda by: withdraw_ticket(by=by, ticket=ticket))


@own_page
@require_GET
def download(request: HttpRequest, ticket_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    attachment = attachment_of(subject_id_of(request), ticket_id, attachment_id)
    if attachment is None:
        raise Http404
    try:
        chunks, name = open_attachment(by=actor_of(request), attachment=attachment)
    except (FileNotFoundError, KeyDestroyed, Unreadable):
        messages.error(request, _("This file can no longer be read."))
        return redirect("privacy:ticket", ticket_id)
    return file_response(attachment, chunks, name)


def _act(request: HttpRequest, ticket: Ticket, form: Any, done: str, act: Callable[[Any], object]) -> HttpResponse:
    """Do it and show the page anew, or show the form again with what was typed and what stands in the way."""
    if not form.is_valid():
        return _page(request, ticket, form, status=422)
    try:
        act(actor_of(request))
    except TicketRefused as refusal:
        form.add_error(None, str(refusal))
        ticket.refresh_from_db()
        return _page(request, ticket, form, status=409)
    messages.success(request, done)
    return redirect(ticket)


def _own_ticket(request: HttpRequest, ticket_id: UUID) -> Ticket:
    ticket = tickets_of(subject_id_of(request)).filter(pk=ticket_id).first()
    if ticket is None:
        raise Http404
    return ticket


@dataclass(frozen=True)
class FileLine:
    """A file of a message; ``name`` is None when it can no longer be read."""

    attachment: TicketAttachment
    name: str | None


@dataclass(frozen=True)
class Said:
    """One message, opened for the person; ``text`` is None when it can no longer be read."""

    message: PublicMessage
    is_yours: bool
    text: str | None
    files: list[FileLine]


def _page(request: HttpRequest, ticket: Ticket, form: Any = None, status: int = 200) -> HttpResponse:
    by = actor_of(request)
    grant = open_for_unit(by=by, purpose=Purpose.SUPPORT, subject=ticket.subject_id, case=ticket)
    page = messages_page(ticket, request.GET.get("page"))
    context = {
        "ticket": ticket,
        "about": about_in_words(ticket.subject_id, ticket.about),
        "uses": [in_words(entry) for entry in entries_of(ticket)],
        "page": page,
        "said": _opened(page, grant),
        "steps": steps_for_person(ticket),
        "form": form,
        "write_form": _form_for(ticket, form),
        "reopen_days": REOPEN_WITHIN.days,
    }
    return render(request, "privacy/tickets/ticket.html", context, status=status)


def _opened(page: Page, grant: Grant) -> list[Said]:
    shown = list(page)
    grant.load([*shown, *(file for message in shown for file in message.attachments.all())])
    return [
        Said(
            message=message,
            is_yours=message.author == PublicMessage.Author.CUSTOMER,
            text=grant.read(message.body),
            files=[FileLine(file, grant.read(file.name)) for file in message.attachments.all()],
        )
        for message in shown
    ]


def _form_for(ticket: Ticket, form: Any) -> Any:
    """The form that fits the ticket as it is now; what was typed into another one moves over."""
    wanted = MessageForm if ticket.is_in_work else ReopenForm if ticket.can_be_reopened else None
    if wanted is None or type(form) is wanted:
        return form if wanted else None
    typed = form.data.get("body", "") if form is not None else ""
    return wanted(initial={"body": typed})
