"""Messages and complaints for programs; nobody else's is ever found (RIGHTS-5, RIGHTS-6, RIGHTS-9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from audit.record import Reference
from privacy.access.gate import Grant, open_for_unit
from privacy.complaints.abouts import about_in_words, abouts_of
from privacy.complaints.actions import open_ticket, post_message, reopen_ticket, withdraw_ticket
from privacy.complaints.attachments import MAX_FILES, clean_file, open_attachment
from privacy.complaints.errors import UnknownAbout
from privacy.complaints.models import BODY_MAX, PublicMessage, Ticket, TicketAttachment
from privacy.complaints.queries import ENTRIES_AT_MOST, attachment_of, entries_of, messages_of, tickets_of
from privacy.complaints.timeline import steps_for_person
from privacy.complaints.views.files import file_response
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import Area
from privacy.interface.serializers import Choice, Nothing, OpenedField, StrictSerializer, Text
from privacy.interface.views import OwnView, made_at, shown_at


class TicketLine(StrictSerializer):
    id = serializers.UUIDField()
    code = serializers.CharField(help_text="To quote when you write to us.")
    kind = Choice(Ticket.Kind)
    state = Choice(Ticket.State)
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="We answer by then.")
    outcome = Choice(Ticket.Outcome, allow_blank=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    reopen_until = serializers.DateTimeField(allow_null=True, help_text="Until then you can ask us to look again.")
    closed_at = serializers.DateTimeField(allow_null=True)


class StepLine(StrictSerializer):
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    state = Choice(["done", "now", "ahead", "bad"])
    at = serializers.DateTimeField(allow_null=True)


class TicketShown(TicketLine):
    about = serializers.SerializerMethodField(help_text="What it is about, in words.")
    steps = serializers.SerializerMethodField(help_text="What happened, and what comes next.")
    entries = serializers.SerializerMethodField(help_text="The uses of your data that it is about.")

    def get_about(self, ticket: Ticket) -> str:
        about = about_in_words(ticket.subject_id, ticket.about)
        return about.words if about else ""

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_entries(self, ticket: Ticket) -> list[str]:
        return [str(entry.pk) for entry in entries_of(ticket)]

    @extend_schema_field(StepLine(many=True))
    def get_steps(self, ticket: Ticket) -> list[dict[str, Any]]:
        return list(StepLine(steps_for_person(ticket), many=True).data)


class FileLine(StrictSerializer):
    id = serializers.UUIDField()
    name = OpenedField()
    kind = Choice(TicketAttachment.Kind)
    size = serializers.IntegerField(min_value=0)


class MessageLine(StrictSerializer):
    id = serializers.UUIDField()
    author = Choice(PublicMessage.Author)
    written_at = serializers.DateTimeField()
    body = OpenedField()
    files = FileLine(source="attachments", many=True)


class AboutLine(StrictSerializer):
    about = serializers.CharField(help_text="What a new message sends.")
    words = serializers.CharField()


class MessageGiven(StrictSerializer):
    body = Text(max_length=BODY_MAX)


class TicketGiven(MessageGiven):
    kind = Choice(Ticket.Kind)
    about = Text(max_length=120, required=False, help_text="One of those that a message can be about.")
    entries = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=ENTRIES_AT_MOST, help_text="Uses of your data that you suspect."
    )


@extend_schema_field({"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1, "maxItems": MAX_FILES})
class Files(serializers.ListField):
    child = serializers.FileField()


class FilesGiven(MessageGiven):
    files = Files(min_length=1, max_length=MAX_FILES)


class TicketView(OwnView):
    area = Area.MESSAGES

    def own_ticket(self, ticket_id: UUID) -> Ticket:
        return get_object_or_404(tickets_of(self.subject_id), pk=ticket_id)

    def opened_for(self, ticket: Ticket) -> Grant:
        return open_for_unit(by=self.actor, purpose=Purpose.SUPPORT, subject=self.subject_id, case=ticket)

    def answer_message(self, message: PublicMessage) -> Response:
        ticket: Ticket = message.ticket
        shown = get_object_or_404(messages_of(ticket), pk=message.pk)
        return made_at(self.answer(shown, grant=self.opened_for(ticket)), reverse("api:ticket-message", args=[ticket.pk, message.pk]))

    def answer_ticket(self, ticket_id: UUID) -> Response:
        tell = made_at if self.request.method in self.made_by else shown_at
        return tell(self.answer(self.own_ticket(ticket_id)), reverse("api:ticket", args=[ticket_id]))


class TicketList(TicketView):
    takes = {"POST": TicketGiven}
    gives = {"GET": TicketLine, "POST": TicketShown}
    made_by = frozenset({"POST"})
    is_list = True

    def get(self, request: Request) -> Response:
        """Your messages and complaints, newest first."""
        return self.answer_page(tickets_of(self.subject_id))

    def post(self, request: Request) -> Response:
        """Ask or complain.

        You hear from us by mail, and by `due_at` at the latest. Files follow with a message of their own.
        """
        given = self.given()
        ticket = open_ticket(
            by=self.actor,
            subject=self.subject,
            kind=Ticket.Kind(given["kind"]),
            body=given["body"],
            token=uuid4(),
            about=self._about(given.get("about")),
            entries=given.get("entries", ()),
            locale=get_language() or "",
        )
        return self.answer_ticket(ticket.pk)

    def _about(self, given: str | None) -> Reference | None:
        if given is None:
            return None
        found = next((about for about, _words in abouts_of(self.subject_id) if _name(about) == given), None)
        if found is None:
            raise UnknownAbout
        return found


class AboutList(TicketView):
    gives = {"GET": AboutLine}
    is_list = True

    def get(self, request: Request) -> Response:
        """What a message can be about."""
        rows = [{"about": _name(about), "words": str(words)} for about, words in abouts_of(self.subject_id)]
        return self.answer_page(rows)


class TicketPage(TicketView):
    gives = {"GET": TicketShown}

    def get(self, request: Request, ticket_id: UUID) -> Response:
        """One of them, with its steps."""
        return self.answer(self.own_ticket(ticket_id))


class MessageList(TicketView):
    takes = {"POST": MessageGiven}
    gives = {"GET": MessageLine, "POST": MessageLine}
    made_by = frozenset({"POST"})
    is_list = True

    def get(self, request: Request, ticket_id: UUID) -> Response:
        """The conversation, oldest first."""
        ticket = self.own_ticket(ticket_id)
        grant = self.opened_for(ticket)
        return self.answer_page(messages_of(ticket), read=lambda page: _loaded(page, grant), grant=grant)

    def post(self, request: Request, ticket_id: UUID) -> Response:
        """Write to us."""
        given, ticket = self.given(), self.own_ticket(ticket_id)
        return self.answer_message(post_message(by=self.actor, ticket=ticket, body=given["body"], token=uuid4()))


class MessagePage(TicketView):
    gives = {"GET": MessageLine}

    def get(self, request: Request, ticket_id: UUID, message_id: UUID) -> Response:
        """One message."""
        ticket = self.own_ticket(ticket_id)
        return self.answer(get_object_or_404(messages_of(ticket), pk=message_id), grant=self.opened_for(ticket))


class FileSender(TicketView):
    parser_classes = [MultiPartParser]
    takes = {"POST": FilesGiven}
    gives = {"POST": MessageLine}
    made_by = frozenset({"POST"})

    def post(self, request: Request, ticket_id: UUID) -> Response:
        """Write to us and send files.

        Pictures, PDF documents and text files of at most 5 MB each. What is hidden in them, such as places, is taken out.
        """
        given, ticket = self.given(), self.own_ticket(ticket_id)
        files = [clean_file(file.name or "", file.read()) for file in given["files"]]
        return self.answer_message(post_message(by=self.actor, ticket=ticket, body=given["body"], token=uuid4(), files=files))


class FileDownload(TicketView):
    streams = "application/octet-stream"

    def get(self, request: Request, ticket_id: UUID, attachment_id: UUID) -> HttpResponseBase:
        """Download a file."""
        attachment = attachment_of(self.subject_id, ticket_id, attachment_id)
        if attachment is None:
            raise Http404
        chunks, name = open_attachment(by=self.actor, attachment=attachment)
        return file_response(attachment, chunks, name)


class Reopening(TicketView):
    takes = {"POST": MessageGiven}
    gives = {"POST": TicketShown}

    def post(self, request: Request, ticket_id: UUID) -> Response:
        """Ask us to look again."""
        given, ticket = self.given(), self.own_ticket(ticket_id)
        reopen_ticket(by=self.actor, ticket=ticket, body=given["body"], token=uuid4())
        return self.answer_ticket(ticket.pk)


class TicketWithdrawal(TicketView):
    takes = {"POST": Nothing}
    gives = {"POST": TicketShown}

    def post(self, request: Request, ticket_id: UUID) -> Response:
        """Take it back: you want no answer any more."""
        self.given()
        ticket = self.own_ticket(ticket_id)
        withdraw_ticket(by=self.actor, ticket=ticket)
        return self.answer_ticket(ticket.pk)


def _name(about: Reference) -> str:
    return f"{about.label}:{about.id}"


def _loaded(page: Sequence[PublicMessage], grant: Grant) -> Sequence[PublicMessage]:
    """All keys and entries of the page at once."""
    grant.load([*page, *(file for message in page for file in message.attachments.all())])
    return page


urlpatterns = [
    path("tickets/", TicketList.as_view(), name="tickets"),
    path("tickets/abouts/", AboutList.as_view(), name="abouts"),
    path("tickets/<uuid:ticket_id>/", TicketPage.as_view(), name="ticket"),
    path("tickets/<uuid:ticket_id>/messages/", MessageList.as_view(), name="ticket-messages"),
    path("tickets/<uuid:ticket_id>/messages/<uuid:message_id>/", MessagePage.as_view(), name="ticket-message"),
    path("tickets/<uuid:ticket_id>/files/", FileSender.as_view(), name="ticket-files"),
    path("tickets/<uuid:ticket_id>/files/<uuid:attachment_id>/", FileDownload.as_view(), name="ticket-file"),
    path("tickets/<uuid:ticket_id>/reopening/", Reopening.as_view(), name="reopening"),
    path("tickets/<uuid:ticket_id>/withdrawal/", TicketWithdrawal.as_view(), name="ticket-withdrawal"),
]
