"""Answer for good, disagree, and close (RIGHTS-5, RIGHTS-9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from privacy.complaints.actions.steps import (
    Step,
    add_message,
    change,
    lock_person,
    lock_ticket,
    note_step,
    require_handler,
    require_in_work,
    require_person,
    require_unchanged,
    sent_before,
    tell_person,
)
from privacy.complaints.actions.writing import answered
from privacy.complaints.attachments import CleanFile, delete_files_of
from privacy.complaints.clocks import REOPEN_WITHIN
from privacy.complaints.errors import AnswerMissing, ReopeningOver, TicketEnded, TicketStillOpen
from privacy.complaints.models import Ticket, TicketLink
from privacy.policy.roles import Actor
from privacy.rights.clocks import answer_due
from privacy.vault.models import Subject

Kind, Outcome = Ticket.Kind, Ticket.Outcome

OUTCOMES: dict[str, tuple[Ticket.Outcome, ...]] = {
    Kind.QUESTION: (Outcome.ANSWERED, Outcome.WITHDRAWN),
    Kind.COMPLAINT: (Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD, Outcome.WITHDRAWN),
    Kind.PRIVACY: (Outcome.ANSWERED, Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD, Outcome.WITHDRAWN),
    Kind.MISUSE: (Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD, Outcome.WITHDRAWN),
}


@transaction.atomic
def resolve_ticket(
    *,
    by: Actor,
    ticket: Ticket,
    outcome: Ticket.Outcome,
    answer: str,
    token: UUID,
    seen: int | None = None,
    at: datetime | None = None,
) -> Ticket:
    """Answer for good: a named outcome and the words for it, which become a public message.

    Raises AnswerMissing without words or with an outcome that such a ticket cannot have, and otherwise as
    ``post_message`` does.
    """
    locked = lock_ticket(ticket)
    require_handler(by, locked)
    if sent_before(locked, token) is not None:
        return locked
    require_unchanged(locked, seen)
    require_in_work(locked)
    if outcome not in OUTCOMES[locked.kind] or not answer.strip():
        raise AnswerMissing
    now = at or timezone.now()
    add_message(by, locked, body=answer, token=token, at=now)
    _end(locked, outcome, now, **answered(by, locked, now))
    note_step(by, locked, Step.RESOLVED, Event.TICKET_RESOLVED, at=now, code=outcome)
    tell_person(by, locked, "tickets-resolved", locked.reopened)
    return locked


@transaction.atomic
def withdraw_ticket(*, by: Actor, ticket: Ticket, at: datetime | None = None) -> Ticket:
    """Take it back: no answer is wanted any more. Raises NotYourTicket, TicketEnded, PersonErased."""
    locked = lock_ticket(ticket)
    require_person(by, locked)
    require_in_work(locked)
    now = at or timezone.now()
    _end(locked, Outcome.WITHDRAWN, now, unanswered_since=None)
    note_step(by, locked, Step.WITHDRAWN, Event.TICKET_WITHDRAWN, at=now)
    return locked


@transaction.atomic
def reopen_ticket(
    *, by: Actor, ticket: Ticket, body: str, token: UUID, files: Iterable[CleanFile] = (), at: datetime | None = None
) -> Ticket:
    """Disagree with an answer, within 30 days: the ticket is with us again, with a month of its own.

    Raises NotYourTicket, TicketStillOpen, ReopeningOver, PersonErased, BodyRefused, TooManyMessages, TooManyFiles.
    """
    lock_person(ticket.subject_id)
    locked = lock_ticket(ticket)
    require_person(by, locked)
    if sent_before(locked, token) is not None:
        return locked
    if locked.is_in_work:
        raise TicketStillOpen
    now = at or timezone.now()
    if locked.state != Ticket.State.RESOLVED or locked.reopen_until is None or now >= locked.reopen_until:
        raise ReopeningOver
    add_message(by, locked, body=body, token=token, at=now, files=files)
    change(
        locked,
        state=Ticket.State.OPEN,
        outcome="",
        resolved_at=None,
        reopen_until=None,
        reopened=locked.reopened + 1,
        due_at=answer_due(now),
        unanswered_since=now,
        reminded_at=None,
        escalated_at=None,
    )
    note_step(by, locked, Step.REOPENED, Event.TICKET_REOPENED, at=now)
    return locked


@transaction.atomic
def close_ticket(*, by: Actor, ticket: Ticket, at: datetime | None = None) -> Ticket:
    """End a ticket whose time to disagree is over; from now on runs the time until its words go. Raises TicketEnded."""
    locked = lock_ticket(ticket)
    now = at or timezone.now()
    if locked.state != Ticket.State.RESOLVED or locked.reopen_until is None or now < locked.reopen_until:
        raise TicketEnded
    _close(by, locked, now)
    return locked


@transaction.atomic
def close_tickets_of(*, by: Actor, subject: Subject) -> int:
    """A step of an erasure: what was answered is closed, and the files go before the rows that know them."""
    tickets = list(Ticket.objects.select_for_update().filter(subject=subject, state=Ticket.State.RESOLVED))
    for ticket in tickets:
        _close(by, ticket, timezone.now())
    TicketLink.objects.filter(ticket__subject=subject).delete()
    delete_files_of(subject.pk)
    return len(tickets)


def _close(by: Actor, ticket: Ticket, now: datetime) -> None:
    change(ticket, state=Ticket.State.CLOSED, closed_at=now, reopen_until=None)
    note_step(by, ticket, Step.CLOSED, Event.TICKET_CLOSED, at=now)


def _end(ticket: Ticket, outcome: Ticket.Outcome, now: datetime, **more: object) -> None:
    change(
        ticket,
        state=Ticket.State.RESOLVED,
        outcome=outcome,
        resolved_at=now,
        reopen_until=now + REOPEN_WITHIN,
        waiting_since=None,
        **more,
    )
