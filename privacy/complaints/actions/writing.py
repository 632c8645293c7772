"""Go on writing, on either side; an answer is public, and nothing else is (RIGHTS-5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from privacy.access.assignment import assigned
from privacy.complaints.actions.steps import (
    Step,
    add_message,
    change,
    lock_ticket,
    note_step,
    require_handler,
    require_in_work,
    require_unchanged,
    sent_before,
    tell_person,
)
from privacy.complaints.attachments import CleanFile
from privacy.complaints.clocks import due_after_waiting
from privacy.complaints.models import PublicMessage, Ticket
from privacy.policy.roles import Actor


@transaction.atomic
def post_message(
    *,
    by: Actor,
    ticket: Ticket,
    body: str,
    token: UUID,
    files: Iterable[CleanFile] = (),
    seen: int | None = None,
    at: datetime | None = None,
) -> PublicMessage:
    """Write to us, or answer the person, who reads it at once; a message of theirs ends our waiting for them.

    Sent twice with the same ``token``, it is one message. Raises NotYourCase and AgentConcerned for staff who
    may not, TicketMoved when the ticket is no longer of the version ``seen``, TicketEnded, PersonErased,
    BodyRefused, TooManyMessages, TooManyFiles.
    """
    locked = lock_ticket(ticket)
    is_person = by.is_subject(locked.subject_id)
    if not is_person:
        require_handler(by, locked)
    again = sent_before(locked, token)
    if again is not None:
        return again
    require_unchanged(locked, None if is_person else seen)
    require_in_work(locked)
    now = at or timezone.now()
    message = add_message(by, locked, body=body, token=token, at=now, files=files)
    if is_person:
        _note_that_person_wrote(by, locked, now)
    else:
        change(locked, **answered(by, locked, now))
        note_step(by, locked, Step.ANSWERED, Event.TICKET_ANSWERED, at=now)
        tell_person(by, locked, "tickets-answered", message.pk)
    return message


@transaction.atomic
def ask_customer(
    *, by: Actor, ticket: Ticket, body: str, token: UUID, seen: int | None = None, at: datetime | None = None
) -> PublicMessage:
    """Answer with a question and wait for the person. Raises as ``post_message`` does."""
    locked = lock_ticket(ticket)
    require_handler(by, locked)
    again = sent_before(locked, token)
    if again is not None:
        return again
    require_unchanged(locked, seen)
    require_in_work(locked)
    now = at or timezone.now()
    message = add_message(by, locked, body=body, token=token, at=now)
    change(locked, **answered(by, locked, now), state=Ticket.State.WAITING, waiting_since=locked.waiting_since or now)
    note_step(by, locked, Step.ASKED, Event.TICKET_CUSTOMER_ASKED, at=now)
    tell_person(by, locked, "tickets-waiting", message.pk)
    return message


def answered(by: Actor, ticket: Ticket, now: datetime) -> dict[str, Any]:
    """What changes whenever one of us has written: whoever answers a ticket of nobody's has taken it."""
    return {
        "first_answered_at": ticket.first_answered_at or now,
        "unanswered_since": None,
        **({} if ticket.assigned_to_id else assigned(by.id, now)),
    }


def _note_that_person_wrote(by: Actor, ticket: Ticket, now: datetime) -> None:
    change(
        ticket,
        state=Ticket.State.OPEN,
        due_at=due_after_waiting(ticket, now),
        waiting_since=None,
        unanswered_since=ticket.unanswered_since or now,
    )
    note_step(by, ticket, Step.WROTE, Event.TICKET_CUSTOMER_WROTE, at=now)
