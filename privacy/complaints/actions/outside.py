"""Complaints of people without an account: nothing reaches us before the mailbox has answered (RIGHTS-5, RIGHTS-10)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from privacy.access.gate import open_access, unit_of_work
from privacy.access.places import person_of_form
from privacy.complaints.actions.steps import Step, add_message, note_step, tell_person
from privacy.complaints.clocks import LINK_LASTS, UNCONFIRMED_FOR
from privacy.complaints.errors import FormSpent, LinkUsed
from privacy.complaints.models import PublicMessage, Ticket, TicketContact, TicketLink
from privacy.complaints.people import account_of
from privacy.complaints.queries import link_by_token
from privacy.declarations.categories import CATEGORY_SCOPES, Scope
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.rights.clocks import answer_due
from privacy.vault.identifiers import uuid7
from privacy.vault.keys import destroy_keys
from privacy.vault.models import Subject

KEPT_LINKS = timedelta(days=1)


@transaction.atomic
def write_from_outside(
    *, by: Actor, email: str, kind: Ticket.Kind, body: str, token: UUID, locale: str, at: datetime | None = None
) -> Ticket:
    """Keep a message whose mailbox is not proved yet, and mail the link that proves it.

    No address is looked up: whoever writes is a person of their own, so neither answer nor time says who is known here.
    The month of the law runs from now. Raises BodyRefused, and FormSpent for a form whose message was confirmed or discarded.
    """
    existing = Ticket.objects.filter(form_token=token, state=Ticket.State.UNCONFIRMED).first()
    if existing is not None:
        return existing
    now = at or timezone.now()
    subject, is_new = Subject.objects.get_or_create(pk=person_of_form(token), defaults={"kind": Subject.Kind.CUSTOMER})
    if not is_new:
        raise FormSpent
    ticket = Ticket.objects.create(
        subject=subject,
        kind=kind,
        state=Ticket.State.UNCONFIRMED,
        locale=locale,
        form_token=token,
        opened_at=now,
        due_at=answer_due(now),
    )
    person = Actor(Role.CUSTOMER, id=subject.pk)
    with open_access(by=person, purpose=Purpose.SUPPORT, subject=subject, case=ticket, writes=Event.DATA_COLLECTED):
        TicketContact.objects.create(subject=subject, ticket=ticket, email=email)
    add_message(person, ticket, body=body, token=token, at=now)
    record(Event.TICKET_WRITTEN, by=by, subject=subject, object=ticket, outcome=kind.value)
    tell_person(by, ticket, "tickets-confirm")
    return ticket


@transaction.atomic
def confirm_ticket(*, by: Actor, token: str, at: datetime | None = None) -> Ticket:
    """Use a mailed link, once: the mailbox is proved, and an unconfirmed ticket reaches us. Raises LinkUsed."""
    link = link_by_token(token)
    if link is None:
        raise LinkUsed
    ticket = Ticket.objects.select_for_update(of=("self",)).select_related("subject").filter(pk=link.ticket_id).first()
    if ticket is None:
        raise LinkUsed
    now = at or timezone.now()
    used = TicketLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=now).update(used_at=now)
    if not used or not _is_open_to_links(ticket):
        raise LinkUsed(is_known=_is_open_to_links(ticket))
    if ticket.state == Ticket.State.UNCONFIRMED:
        _receive(by, ticket, now)
    return ticket


def _is_open_to_links(ticket: Ticket) -> bool:
    """A mailed link never stands in for the password of an account."""
    return ticket.subject.erased_at is None and account_of(ticket.subject_id) is None


def _receive(by: Actor, ticket: Ticket, now: datetime) -> None:
    ticket.state, ticket.unanswered_since = Ticket.State.OPEN, ticket.opened_at
    ticket.version += 1
    ticket.save(update_fields=["state", "unanswered_since", "version"])
    note_step(by, ticket, Step.OPENED, Event.TICKET_OPENED, at=now, code=ticket.kind)
    tell_person(by, ticket, "tickets-received")


@transaction.atomic
def send_link_again(*, by: Actor, token: str) -> None:
    """Mail a new link to whoever has an old one. Raises LinkUsed when even that is forgotten."""
    link = link_by_token(token)
    if link is None or not _is_open_to_links(link.ticket):
        raise LinkUsed
    record(Event.TICKET_LINK_SENT, by=by, subject=link.ticket.subject_id, object=link.ticket)
    tell_person(by, link.ticket, "tickets-link", uuid7())


def issue_link(ticket: Ticket) -> tuple[str, datetime]:
    """A new token for a mail, and until when it works; made where the mail is rendered, stored as its digest."""
    token = secrets.token_urlsafe(32)
    lasts = UNCONFIRMED_FOR if ticket.state == Ticket.State.UNCONFIRMED else LINK_LASTS
    until = timezone.now() + lasts
    TicketLink.objects.create(ticket=ticket, digest=hashlib.sha256(token.encode()).digest(), expires_at=until)
    return token, until


def discard_ticket(*, by: Actor, ticket: Ticket) -> bool:
    """Forget a ticket whose mailbox nobody proved in a day, with everything; False when somebody just did.

    The person's keys go too: nothing else was ever sealed with them.
    """
    with unit_of_work():
        locked = Ticket.objects.select_for_update(skip_locked=True).filter(pk=ticket.pk, state=Ticket.State.UNCONFIRMED).first()
        if locked is None:
            return False
        subject_id = locked.subject_id
        record(Event.TICKET_DISCARDED, by=by, subject=subject_id, object=locked)
        for model in (PublicMessage, TicketContact):
            model.objects.filter(subject_id=subject_id, ticket=locked).delete()
        locked.delete()
        Subject.objects.filter(pk=subject_id).update(erased_at=timezone.now())
    destroy_keys(subject_id, (*CATEGORY_SCOPES, Scope.LOG))
    return True


def forget_old_links() -> int:
    """Delete links a day after they expired; returns how many."""
    deleted, _ = TicketLink.objects.filter(expires_at__lt=timezone.now() - KEPT_LINKS).delete()
    return deleted
