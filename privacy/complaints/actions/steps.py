"""What all actions share: the lock, the refusals, the step in the timeline and the entry in the log (RIGHTS-5, USE-3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from audit.events import Event
from audit.record import Reference, record
from privacy.access.gate import open_access
from privacy.complaints.attachments import CleanFile, keep_files
from privacy.complaints.errors import (
    AgentConcerned,
    BodyRefused,
    NotYourCase,
    NotYourTicket,
    PersonErased,
    TicketEnded,
    TicketMoved,
    TooManyMessages,
)
from privacy.complaints.models import BODY_MAX, PublicMessage, Ticket, TicketEvent
from privacy.complaints.queries import is_concerned, is_handler
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject

Step = TicketEvent.Kind

MESSAGES_AN_HOUR = 20


def lock_person(subject_id: UUID) -> Subject:
    """The person's row, locked before anything of theirs is opened: an erasure sees the ticket, or refuses it here.

    Whoever locks both takes the person first, then the ticket. Raises PersonErased.
    """
    subject = Subject.objects.select_for_update().get(pk=subject_id)
    if subject.erased_at is not None:
        raise PersonErased
    return subject


def lock_ticket(ticket: Ticket) -> Ticket:
    """The ticket as it is now, locked until the transaction ends. Raises PersonErased."""
    locked = Ticket.objects.select_for_update(of=("self",)).select_related("subject").get(pk=ticket.pk)
    if locked.subject.erased_at is not None:
        raise PersonErased
    return locked


def require_person(by: Actor, ticket: Ticket) -> None:
    if not by.is_subject(ticket.subject_id):
        raise NotYourTicket


def require_handler(by: Actor, ticket: Ticket) -> None:
    """Staff whose role handles such tickets, and who are not the ones complained about."""
    if not is_handler(by, ticket):
        raise NotYourCase
    if is_concerned(by, ticket):
        raise AgentConcerned


def require_in_work(ticket: Ticket) -> None:
    if not ticket.is_in_work:
        raise TicketEnded


def require_unchanged(ticket: Ticket, seen: int | None) -> None:
    """``seen`` is the version that the page showed; None for programs that look at nothing before."""
    if seen is not None and seen != ticket.version:
        raise TicketMoved


def purpose_of(by: Actor) -> Purpose:
    """What the privacy officer does with a complaint is to serve a right; for everybody else it is support."""
    return Purpose.RIGHTS if by.role == Role.PRIVACY_OFFICER else Purpose.SUPPORT


def sent_before(ticket: Ticket, token: UUID) -> PublicMessage | None:
    """The message that this very form has sent already: a double click, or the back button."""
    return PublicMessage.objects.filter(subject_id=ticket.subject_id, form_token=token, ticket=ticket).first()


def add_message(by: Actor, ticket: Ticket, *, body: str, token: UUID, at: datetime, files: Iterable[CleanFile] = ()) -> PublicMessage:
    """Seal words and files. Raises BodyRefused, TooManyMessages, TooManyFiles, AccessDenied."""
    body = body.replace("\r\n", "\n").strip()
    if not 0 < len(body) <= BODY_MAX:
        raise BodyRefused
    is_person = by.is_subject(ticket.subject_id)
    if is_person:
        _refuse_flood(ticket.subject_id, at)
    message = PublicMessage(
        subject_id=ticket.subject_id,
        ticket=ticket,
        author=PublicMessage.Author.CUSTOMER if is_person else PublicMessage.Author.STAFF,
        author_id=by.id,  # type: ignore[misc]
        form_token=token,
        written_at=at,
        body=body,
    )
    with open_access(
        by=by, purpose=purpose_of(by), subject=ticket.subject_id, reason=f"ticket {ticket.code}", case=ticket, writes=Event.DATA_COLLECTED
    ):
        message.save(force_insert=True)
        keep_files(message, files)
    return message


def _refuse_flood(subject_id: UUID, at: datetime) -> None:
    lately = PublicMessage.objects.filter(subject_id=subject_id, author_id=subject_id, written_at__range=(at - timedelta(hours=1), at))
    if lately.count() >= MESSAGES_AN_HOUR:
        raise TooManyMessages


def change(ticket: Ticket, **values: object) -> None:
    """Write these columns, and a new version with them."""
    for name, value in {**values, "version": ticket.version + 1}.items():
        setattr(ticket, name, value)
    ticket.save(update_fields=[*values, "version"])


def note_step(by: Actor, ticket: Ticket, step: Step, event: Event, *, at: datetime, code: str = "") -> None:
    """The step that people read and the entry in the log, together."""
    TicketEvent.objects.create(ticket=ticket, kind=step, role=by.role, code=code, at=at)
    record(event, by=by, subject=ticket.subject_id, object=ticket, outcome=code or "ok")


def tell_person(by: Actor, ticket: Ticket, template: str, occasion: object = "") -> None:
    queue_mail(
        by=by,
        template=template,
        subject=ticket.subject_id,
        object=Reference.to(ticket),
        locale=ticket.locale,
        occasion=str(occasion),
    )
