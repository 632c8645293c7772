"""What staff and the clock do with a ticket beside answering it (RIGHTS-5, RIGHTS-9)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference
from privacy.access.assignment import assigned, chosen, require_as_seen
from privacy.access.gate import open_access
from privacy.complaints.actions.steps import (
    Step,
    change,
    lock_ticket,
    note_step,
    purpose_of,
    require_handler,
    require_in_work,
)
from privacy.complaints.clocks import due_after_waiting
from privacy.complaints.errors import BodyRefused, TicketEnded
from privacy.complaints.models import BODY_MAX, InternalNote, Ticket
from privacy.complaints.queries import HANDLERS
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor


@transaction.atomic
def assign_ticket(*, by: Actor, ticket: Ticket, agent: UUID | None = None, seen: UUID | None = None, at: datetime | None = None) -> Ticket:
    """Give a ticket to a member of staff, to the actor where none is named; away from ``seen`` alone, who had it on the
    page that was shown. Raises NotYourCase, AgentConcerned for either of them, TicketEnded, PersonErased, TakenMeanwhile,
    NotTheirWork.
    """
    locked = lock_ticket(ticket)
    require_handler(by, locked)
    require_in_work(locked)
    require_as_seen(locked, by, seen, HANDLERS[locked.kind])
    holder = chosen(by, agent, HANDLERS[locked.kind])
    require_handler(holder, locked)
    now = at or timezone.now()
    change(locked, **assigned(holder.id, now))
    note_step(by, locked, Step.TAKEN, Event.TICKET_TAKEN, at=now, code="" if holder.id == by.id else "given")
    return locked


@transaction.atomic
def release_ticket(*, by: Actor, ticket: Ticket, seen: UUID | None = None, at: datetime | None = None) -> Ticket:
    """Give a ticket back to the team, off the list of ``seen`` or the actor.

    Raises NotYourCase, AgentConcerned, TicketEnded, PersonErased, TakenMeanwhile.
    """
    locked = lock_ticket(ticket)
    require_handler(by, locked)
    require_in_work(locked)
    require_as_seen(locked, by, seen, HANDLERS[locked.kind])
    now = at or timezone.now()
    change(locked, **assigned(None, now))
    note_step(by, locked, Step.RELEASED, Event.TICKET_RELEASED, at=now)
    return locked


@transaction.atomic
def refer_ticket(*, by: Actor, ticket: Ticket, at: datetime | None = None) -> Ticket:
    """Hand what looks like a misuse of data to the privacy officer, who alone handles it from then on.

    The day by which it must be answered stays. Raises NotYourCase, AgentConcerned, TicketEnded, PersonErased.
    """
    locked = lock_ticket(ticket)
    require_handler(by, locked)
    require_in_work(locked)
    if locked.kind == Ticket.Kind.MISUSE:
        raise TicketEnded
    now = at or timezone.now()
    change(locked, kind=Ticket.Kind.MISUSE, **assigned(None, now))
    note_step(by, locked, Step.REFERRED, Event.TICKET_REFERRED, at=now)
    return locked


@transaction.atomic
def write_note(*, by: Actor, ticket: Ticket, body: str, token: UUID, at: datetime | None = None) -> InternalNote:
    """Keep a note among staff, sealed; the person finds it in the copy of their data.

    Sent twice with the same ``token``, it is one note. Raises NotYourCase, AgentConcerned, TicketEnded for a
    closed ticket, PersonErased, BodyRefused.
    """
    locked = lock_ticket(ticket)
    require_handler(by, locked)
    again = InternalNote.objects.filter(subject_id=locked.subject_id, form_token=token).first()
    if again is not None:
        return again
    if locked.state not in (*Ticket.IN_WORK, Ticket.State.RESOLVED):
        raise TicketEnded
    body = body.replace("\r\n", "\n").strip()
    if not 0 < len(body) <= BODY_MAX:
        raise BodyRefused
    now = at or timezone.now()
    note = InternalNote(
        subject_id=locked.subject_id,
        ticket=locked,
        author_id=by.id,  # type: ignore[misc]
        form_token=token,
        written_at=now,
        body=body,
    )
    with open_access(
        by=by, purpose=purpose_of(by), subject=locked.subject_id, reason=f"ticket {locked.code}", case=locked, writes=Event.DATA_COLLECTED
    ):
        note.save(force_insert=True)
    note_step(by, locked, Step.NOTED, Event.TICKET_NOTED, at=now)
    return note


@transaction.atomic
def stop_waiting(*, by: Actor, ticket: Ticket, at: datetime | None = None) -> Ticket:
    """Go on without an answer that does not come. Raises TicketEnded when it came meanwhile."""
    locked = lock_ticket(ticket)
    if locked.state != Ticket.State.WAITING:
        raise TicketEnded
    now = at or timezone.now()
    change(locked, state=Ticket.State.OPEN, due_at=due_after_waiting(locked, now), waiting_since=None)
    note_step(by, locked, Step.NO_REPLY, Event.TICKET_WAITED_OUT, at=now)
    return locked


@transaction.atomic
def remind_of_ticket(*, by: Actor, ticket: Ticket, at: datetime | None = None) -> Ticket:
    """Tell the member of staff who has it that its day is near. Raises TicketEnded."""
    locked = lock_ticket(ticket)
    require_in_work(locked)
    if locked.reminded_at is not None:
        raise TicketEnded
    now = at or timezone.now()
    change(locked, reminded_at=now)
    note_step(by, locked, Step.REMINDED, Event.TICKET_REMINDED, at=now)
    if locked.assigned_to_id is not None:
        queue_mail(
            by=by, template="tickets-due-soon", subject=locked.assigned_to_id, object=Reference.to(locked), occasion=str(locked.reopened)
        )
    return locked


@transaction.atomic
def escalate_ticket(*, by: Actor, ticket: Ticket, at: datetime | None = None) -> Ticket:
    """Note that we are late, for the person and for everybody who oversees it. Raises TicketEnded."""
    locked = lock_ticket(ticket)
    if not locked.is_overdue or locked.escalated_at is not None:
        raise TicketEnded
    now = at or timezone.now()
    change(locked, escalated_at=now)
    note_step(by, locked, Step.ESCALATED, Event.TICKET_ESCALATED, at=now)
    return locked
