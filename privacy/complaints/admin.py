"""The agent's case on one screen: masks, conversation, clock, log entries, and forms that cannot be mistaken (RIGHTS-5, RIGHTS-9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from privacy.access.admin import Line, explain
from privacy.access.assignment_pages import GIVE_PANEL, AssignedAdmin, AssignedFilter, assignment_buttons, with_mine
from privacy.access.errors import AccessDenied
from privacy.access.models import Opening
from privacy.access.oversight.drawing import draw_questioned
from privacy.access.oversight.errors import OversightRefused
from privacy.complaints import dashboard  # noqa: F401  adds its cards
from privacy.complaints.abouts import about_in_words
from privacy.complaints.actions import (
    ask_customer,
    assign_ticket,
    post_message,
    refer_ticket,
    release_ticket,
    resolve_ticket,
    save_canned_reply,
    write_note,
)
from privacy.complaints.actions.steps import purpose_of
from privacy.complaints.attachments import open_attachment
from privacy.complaints.errors import TicketRefused
from privacy.complaints.forms import FileForm, NoteForm, ReplyForm, ResolveForm, ReviewForm
from privacy.complaints.models import CannedReply, InternalNote, PublicMessage, Ticket, TicketAttachment
from privacy.complaints.people import records_of
from privacy.complaints.queries import (
    HANDLERS,
    attachment_of,
    canned_replies,
    long_unanswered_tickets,
    may_handle,
    messages_page,
    notes_of,
    overdue_tickets,
    received_tickets,
    tickets_due_soon,
    unanswered_tickets,
    use_counts,
)
from privacy.complaints.suspicions import Suspicion, suspicions_of
from privacy.complaints.timeline import steps_for_staff
from privacy.complaints.views.files import file_response
from privacy.declarations.purposes import Purpose
from privacy.policy.admin import Button, RoleAdmin, staff_page
from privacy.policy.roles import Actor, Role
from privacy.rights.uses import in_words, uses_of
from privacy.vault.errors import KeyDestroyed, Unreadable
from privacy.vault.records import PersonalRecord

HANDLING = frozenset({Role.SUPPORT, Role.PRIVACY_OFFICER})
OVERSIGHT = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
LAST_USES = 10

CLOCKS: dict[str, tuple[Any, Callable[[], QuerySet[Ticket]]]] = {
    "overdue": (_("overdue"), overdue_tickets),
    "soon": (_("due within 5 days"), tickets_due_soon),
    "unanswered": (_("unanswered"), unanswered_tickets),
    "late": (_("unanswered for more than 7 days"), long_unanswered_tickets),
}


class ClockFilter(admin.SimpleListFilter):
    title = _("clock")
    parameter_name = "clock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, words) for name, (words, _tickets) in CLOCKS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        return queryset.filter(pk__in=CLOCKS[self.value()][1]().values("pk")) if self.value() in CLOCKS else queryset  # type: ignore[index]


class StateFilter(admin.SimpleListFilter):
    """Without the unconfirmed ones, which staff never see."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.value, state.label) for state in Ticket.State if state != Ticket.State.UNCONFIRMED]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@dataclass(frozen=True)
class Said:
    """A message or note on the page: masked, or open."""

    record: Any
    line: Line
    is_from_customer: bool = False
    files: tuple[tuple[TicketAttachment, Line, FileForm | None], ...] = ()


@admin.register(Ticket)
class TicketAdmin(AssignedAdmin):
    viewers = HANDLING | OVERSIGHT
    refusal = TicketRefused
    own_forms = AssignedAdmin.own_forms | {"_reply", "_ask", "_use", "_resolve", "_note", "_file"}
    list_display = ["code", "kind", "shown_state", "shown_clock", "shown_wait", "shown_agent"]
    list_filter = [ClockFilter, AssignedFilter, StateFilter, "kind"]
    search_fields = ["code__exact"]
    ordering = [F("resolved_at").asc(nulls_first=True), "due_at"]  # type: ignore[list-item]
    fields: ClassVar = ("opened_at", "first_answered_at", "closed_at")
    readonly_fields = fields
    buttons = [
        *assignment_buttons(
            take=lambda actor, ticket: assign_ticket(by=actor, ticket=ticket, seen=ticket.seen_holder),
            release=lambda actor, ticket: release_ticket(by=actor, ticket=ticket, seen=ticket.seen_holder),
            roles=HANDLING,
            refusal=TicketRefused,
        ),
        Button(
            name="refer",
            label=_("Hand over as suspected misuse"),
            does=_("From then on only privacy officers read and answer it. The day by which it must be answered stays."),
            action=lambda actor, ticket: refer_ticket(by=actor, ticket=ticket),
            roles=HANDLING,
            when=lambda ticket: ticket.is_in_work and ticket.kind != Ticket.Kind.MISUSE,
            refusals=(TicketRefused,),
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        return with_mine(received_tickets(), request.actor)  # type: ignore[attr-defined]

    def workers_of(self, obj: Ticket) -> frozenset[Role]:
        return HANDLERS[obj.kind]

    def give(self, by: Actor, obj: Ticket, agent: UUID) -> object:
        return assign_ticket(by=by, ticket=obj, agent=agent, seen=obj.seen_holder)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, ticket: Ticket) -> SafeString:
        look = {"open": "info", "waiting": "warning", "resolved": "success"}.get(ticket.state, "")
        return format_html('<span class="badge badge-{}">{}</span>', look, ticket.get_state_display())

    @admin.display(description=_("answer by"), ordering="due_at")
    def shown_clock(self, ticket: Ticket) -> Any:
        if not ticket.is_in_work:
            return "–"
        day = formats.date_format(ticket.due_at, "DATE_FORMAT")
        return format_html('{} <span class="badge badge-danger">{}</span>', day, _("overdue")) if ticket.is_overdue else day

    @admin.display(description=_("unanswered"), ordering="unanswered_since")
    def shown_wait(self, ticket: Ticket) -> str:
        return timesince(ticket.unanswered_since, depth=1) if ticket.unanswered_since and ticket.is_in_work else "–"

    def personal_records(self, obj: Any) -> list[PersonalRecord]:
        """Who it is, and the page of the conversation that ``case_context`` has chosen."""
        return [*records_of(obj), *obj.conversation]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A form that was refused is shown again, with what was typed."""
        pressed = next((name for name in self._forms() if name in request.POST), "") if request.method == "POST" else ""
        ticket = self.get_object(request, object_id)
        if ticket is not None and self.has_view_permission(request, ticket):
            self._refuse_others(request, ticket, pressed)
            answer = self._forms()[pressed](request, ticket, pressed) if pressed else {}
            if isinstance(answer, HttpResponseBase):
                return answer  # type: ignore[return-value]
            extra_context = {**(extra_context or {}), **answer}
        return super().change_view(request, object_id, form_url, extra_context)

    def _forms(self) -> dict[str, Callable[[HttpRequest, Ticket, str], HttpResponseBase | dict[str, Any]]]:
        return {
            "_reply": self._reply,
            "_ask": self._reply,
            "_use": self._use_canned,
            "_resolve": self._resolve,
            "_note": self._note,
            "_file": self._download,
            "_review": self._begin_review,
        }

    def _refuse_others(self, request: HttpRequest, ticket: Ticket, pressed: str) -> None:
        """Who may not answer a ticket may not read it either, whatever the matrix opens to the role elsewhere."""
        is_act = pressed or (request.method == "POST" and "_open" in request.POST)
        if is_act and not may_handle(request.actor, ticket):  # type: ignore[attr-defined]
            raise PermissionDenied

    # Forms

    def _reply(self, request: HttpRequest, ticket: Ticket, pressed: str) -> HttpResponseBase | dict[str, Any]:
        form = ReplyForm(canned_replies(ticket.locale), request.POST, prefix="reply")
        send = ask_customer if pressed == "_ask" else post_message
        done = _("Sent. We wait for the customer's answer.") if pressed == "_ask" else _("Sent to the customer.")
        return self._act(
            request, ticket, "reply_form", form, done, lambda by, given: send(by=by, ticket=ticket, **_only(given, "body", "token", "seen"))
        )

    def _use_canned(self, request: HttpRequest, ticket: Ticket, pressed: str) -> dict[str, Any]:
        """Puts the prepared answer behind what was typed; nothing is sent."""
        replies = canned_replies(ticket.locale)
        form = ReplyForm(replies, request.POST, prefix="reply")
        chosen = next((reply for reply in replies if str(reply.pk) == request.POST.get("reply-canned")), None)
        typed = request.POST.get("reply-body", "").strip()
        body = "\n\n".join(part for part in (typed, chosen.body if chosen else "") if part)
        values = {"body": body, "seen": form["seen"].value(), "token": form["token"].value()}
        return {"reply_form": ReplyForm(replies, initial=values, prefix="reply")}

    def _resolve(self, request: HttpRequest, ticket: Ticket, pressed: str) -> HttpResponseBase | dict[str, Any]:
        form = ResolveForm(ticket.kind, request.POST, prefix="resolve")
        return self._act(
            request,
            ticket,
            "resolve_form",
            form,
            _("Answered. The customer is told."),
            lambda by, given: resolve_ticket(
                by=by, ticket=ticket, outcome=Ticket.Outcome(given["outcome"]), answer=given["body"], **_only(given, "token", "seen")
            ),
        )

    def _note(self, request: HttpRequest, ticket: Ticket, pressed: str) -> HttpResponseBase | dict[str, Any]:
        form = NoteForm(request.POST, prefix="note")
        return self._act(request, ticket, "note_form", form, _("Noted."), lambda by, given: write_note(by=by, ticket=ticket, **given))

    def _act(
        self,
        request: HttpRequest,
        ticket: Ticket,
        name: str,
        form: Any,
        done: Any,
        act: Callable[[Actor, dict[str, Any]], object],
    ) -> HttpResponseBase | dict[str, Any]:
        if not form.is_valid():
            return {name: form}
        try:
            act(request.actor, form.cleaned_data)  # type: ignore[attr-defined]
        except (TicketRefused, AccessDenied) as refusal:
            form.add_error(None, explain(refusal) if isinstance(refusal, AccessDenied) else str(refusal))
            return {name: _with_version(form, ticket)}
        messages.success(request, done)
        return HttpResponseRedirect(request.path)

    def _download(self, request: HttpRequest, ticket: Ticket, pressed: str) -> HttpResponseBase | dict[str, Any]:
        form = FileForm(request.POST)
        if not form.is_valid() or form.cleaned_data["purpose"] not in Purpose:
            raise PermissionDenied
        attachment = attachment_of(ticket.subject_id, ticket.pk, form.cleaned_data["attachment"])
        if attachment is None:
            raise PermissionDenied
        how = {"purpose": Purpose(form.cleaned_data["purpose"]), "reason": form.cleaned_data["reason"]}
        try:
            chunks, name = open_attachment(by=request.actor, attachment=attachment, **how)  # type: ignore[attr-defined]
        except (AccessDenied, KeyDestroyed, Unreadable, FileNotFoundError):
            messages.error(request, _("Nothing was opened: this file cannot be read, or not by you for this purpose."))
            return HttpResponseRedirect(request.path)
        return file_response(attachment, chunks, name)

    def _begin_review(self, request: HttpRequest, ticket: Ticket, pressed: str) -> HttpResponseBase | dict[str, Any]:
        """Have a look judged that the person complains about, and go to where it is judged."""
        form = ReviewForm(request.POST)
        look = next((each.look for each in suspicions_of(ticket) if each.look and str(each.look.pk) == request.POST.get("look")), None)
        if not form.is_valid() or look is None:
            raise PermissionDenied
        try:
            review = draw_questioned(by=request.actor, opening=look)  # type: ignore[attr-defined]
        except OversightRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)
        return redirect("admin:privacy_review_change", review.pk)

    # The page

    def case_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        page, notes = messages_page(obj, request.GET.get("page")), list(notes_of(obj))
        suspicions = suspicions_of(obj) if may_handle(request.actor, obj) else []  # type: ignore[attr-defined]
        looks = {each.look.pk: each.look for each in suspicions if each.look}
        obj.conversation = [*page, *(file for message in page for file in message.attachments.all()), *notes, *looks.values()]
        context = super().case_context(request, obj)
        lines = {record.pk: shown[0] for record, shown in context["personal_panels"] if shown}
        is_handler = may_handle(request.actor, obj)  # type: ignore[attr-defined]
        return {
            **context,
            "personal_panels": [],
            "who": [panel for panel in context["personal_panels"] if not isinstance(panel[0], CONVERSATION)],
            "open_form": _with_usual_purpose(request, context["open_form"]) if is_handler else None,
            "case_panels": ["privacy/tickets/admin_case.html", GIVE_PANEL],
            "ticket": obj,
            "page": page,
            "said": [_said(request, message, lines, is_open=context["opened"]) for message in page],
            "notes": [Said(note, lines[note.pk]) for note in notes if note.pk in lines],
            "steps": steps_for_staff(obj),
            "about": about_in_words(obj.subject_id, obj.about),
            "about_address": staff_page(request, obj.about_label, obj.about_id),
            "is_handler": is_handler,
            **(_uses(request, obj, suspicions, lines) if is_handler else {}),
            **(_empty_forms(obj) if is_handler else {}),
        }


CONVERSATION = (PublicMessage, InternalNote, TicketAttachment, Opening)


def _with_usual_purpose(request: HttpRequest, form: Any) -> Any:
    if form is not None:
        form.initial.setdefault("purpose", purpose_of(request.actor))  # type: ignore[attr-defined]
    return form


def _only(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names}


def _with_version(form: Any, ticket: Ticket) -> Any:
    """The refused form against the ticket as it is now: whoever has read what is new sends it again."""
    ticket.refresh_from_db()
    if "seen" in form.fields:
        form.data = form.data.copy()
        form.data[form.add_prefix("seen")] = ticket.version
    return form


def _said(request: HttpRequest, message: PublicMessage, lines: dict[Any, Line], *, is_open: bool) -> Said:
    """``_open`` carries purpose and reason, which the buttons of the files send along."""
    files = []
    for file in message.attachments.all():
        given = {"attachment": file.pk, "purpose": request.POST.get("purpose"), "reason": request.POST.get("reason")}
        files.append((file, lines[file.pk], FileForm(initial=given, auto_id=False) if is_open else None))
    return Said(message, lines[message.pk], message.author == PublicMessage.Author.CUSTOMER, tuple(files))


@dataclass(frozen=True)
class Questioned:
    """An entry that the person complains about, with the reason that was given, masked or open, and the way to its case."""

    suspicion: Suspicion
    reason: Line | None
    case_address: str
    review_form: ReviewForm | None


def _uses(request: HttpRequest, ticket: Ticket, suspicions: list[Suspicion], lines: dict[Any, Line]) -> dict[str, Any]:
    """Who used this person's data, and for a suspicion the entries that it is about with whose they are."""
    return {
        "asked_about": [
            Questioned(
                each,
                lines.get(each.look.pk) if each.look else None,
                staff_page(request, each.entry.case_label, each.entry.case_id),
                ReviewForm(initial={"look": each.look.pk}, auto_id=False) if each.look and not each.review else None,
            )
            for each in suspicions
        ],
        "use_counts": use_counts(ticket.subject_id),
        "last_uses": [in_words(entry) for entry in uses_of(ticket.subject_id)[:LAST_USES]],
        "shows_log": request.actor.role == Role.PRIVACY_OFFICER,  # type: ignore[attr-defined]
    }


def _empty_forms(ticket: Ticket) -> dict[str, Any]:
    """Those that can be sent now."""
    fresh = {"seen": ticket.version}
    forms: dict[str, Any] = {}
    if ticket.is_in_work:
        forms["reply_form"] = ReplyForm(canned_replies(ticket.locale), initial=fresh, prefix="reply")
        forms["resolve_form"] = ResolveForm(ticket.kind, initial=fresh, prefix="resolve")
    if ticket.closed_at is None:
        forms["note_form"] = NoteForm(prefix="note")
    return forms


@admin.register(CannedReply)
class CannedReplyAdmin(RoleAdmin):
    viewers = HANDLING | OVERSIGHT
    editors = HANDLING
    list_display = ["title", "locale", "is_active"]
    list_filter = ["locale", "is_active"]
    search_fields = ["title"]
    fields = ["title", "locale", "body", "is_active"]

    def save_model(self, request: HttpRequest, obj: CannedReply, form: ModelForm, change: bool) -> None:
        save_canned_reply(by=request.actor, reply=obj)  # type: ignore[attr-defined]
