"""Ask or complain (RIGHTS-5, RIGHTS-9)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference
from privacy.complaints.abouts import about_in_words
from privacy.complaints.actions.steps import Step, add_message, lock_person, note_step, tell_person
from privacy.complaints.attachments import CleanFile
from privacy.complaints.errors import NotYourTicket, TooManyTickets, UnknownAbout
from privacy.complaints.models import Ticket, TicketEntry
from privacy.complaints.queries import ENTRIES_AT_MOST, own_entries, tickets_in_work
from privacy.policy.roles import Actor
from privacy.rights.clocks import answer_due
from privacy.vault.models import Subject

OPEN_AT_MOST = 20


@transaction.atomic
def open_ticket(
    *,
    by: Actor,
    subject: Subject,
    kind: Ticket.Kind,
    body: str,
    token: UUID,
    about: Reference | None = None,
    entries: Collection[UUID] = (),
    files: Iterable[CleanFile] = (),
    locale: str = "",
    at: datetime | None = None,
) -> Ticket:
    """Open a ticket with its first message; the person is told by mail that we have it, and by when we answer.

    ``token`` is the form's: sent twice, it gives the same ticket. ``about`` is one of the person's own things,
    ``entries`` are log entries about them, for suspected misuse. Raises NotYourTicket, PersonErased,
    TooManyTickets, UnknownAbout, BodyRefused, TooManyMessages, TooManyFiles.
    """
    if not by.is_subject(subject.pk):
        raise NotYourTicket
    lock_person(subject.pk)
    existing = Ticket.objects.filter(subject=subject, form_token=token).first()
    if existing is not None:
        return existing
    if tickets_in_work().filter(subject=subject).count() >= OPEN_AT_MOST:
        raise TooManyTickets
    if about is not None and about_in_words(subject.pk, about) is None:
        raise UnknownAbout
    _require_own_entries(subject.pk, kind, entries)
    now = at or timezone.now()
    ticket = Ticket.objects.create(
        subject=subject,
        kind=kind,
        about_label=about.label if about else "",
        about_id=about.id if about else None,
        locale=locale or settings.LANGUAGE_CODE,
        form_token=token,
        opened_at=now,
        due_at=answer_due(now),
        unanswered_since=now,
    )
    TicketEntry.objects.bulk_create(TicketEntry(ticket=ticket, entry_id=id) for id in set(entries))
    add_message(by, ticket, body=body, token=token, at=now, files=files)
    note_step(by, ticket, Step.OPENED, Event.TICKET_OPENED, at=now, code=kind)
    tell_person(by, ticket, "tickets-received")
    return ticket


def _require_own_entries(subject_id: UUID, kind: Ticket.Kind, entries: Collection[UUID]) -> None:
    """Nobody learns from a refusal whether an entry exists that is not theirs."""
    wanted = set(entries)
    if not wanted:
        return
    if kind != Ticket.Kind.MISUSE or len(wanted) > ENTRIES_AT_MOST or len(own_entries(subject_id, wanted)) != len(wanted):
        raise NotYourTicket
