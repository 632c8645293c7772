"""The mails about tickets: that there is something to read, and where; never what (RIGHTS-5, PROTECT-4)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from privacy.access.gate import Grant
from privacy.complaints.actions.outside import issue_link
from privacy.complaints.clocks import UNCONFIRMED_FOR
from privacy.complaints.models import Ticket
from privacy.complaints.people import account_of, mailbox_for, mailbox_of_guest
from privacy.declarations.purposes import Purpose
from privacy.mail.errors import MailOverdone
from privacy.mail.models import OutboundMail
from privacy.mail.templates import register_mail, register_mailbox
from privacy.vault.sealed import Sealed

State = Ticket.State

WANTED: dict[str, tuple[Ticket.State, ...]] = {
    "tickets-confirm": (State.UNCONFIRMED,),
    "tickets-link": Ticket.LIVE,
    "tickets-received": (*Ticket.IN_WORK, State.RESOLVED),
    "tickets-answered": (*Ticket.IN_WORK, State.RESOLVED),
    "tickets-waiting": (State.WAITING,),
    "tickets-resolved": (State.RESOLVED,),
}


def declare_mails() -> None:
    register_mailbox(mailbox_of_guest)
    for name in WANTED:
        register_mail(name, Purpose.SUPPORT, context=_context, mailbox=_mailbox)
    register_mail("tickets-due-soon", Purpose.SUPPORT, context=_context_for_staff)


def _context(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    ticket = _ticket(mail)
    if ticket.state not in WANTED[mail.template]:
        raise MailOverdone
    return {
        "code": ticket.code,
        "due_at": ticket.due_at,
        "reopen_until": ticket.reopen_until,
        "hours": int(UNCONFIRMED_FOR.total_seconds() // 3600),
        **_way_in(ticket),
    }


def _way_in(ticket: Ticket) -> dict[str, Any]:
    """The page itself for whoever can sign in; for everybody else a link of their own, made new for each mail."""
    if account_of(ticket.subject_id) is not None:
        return {"link": settings.SITE_URL + ticket.get_absolute_url(), "until": None}
    token, until = issue_link(ticket)
    return {"link": settings.SITE_URL + reverse("privacy:complain-link", args=[token]), "until": until}


def _context_for_staff(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    """For staff the mail is about somebody else's ticket; nothing but its reference is in it."""
    ticket = Ticket.objects.filter(pk=str(mail.object_id), state__in=Ticket.IN_WORK).first()
    if ticket is None:
        raise MailOverdone
    return {
        "code": ticket.code,
        "due_at": ticket.due_at,
        "link": settings.SITE_URL + reverse("admin:privacy_ticket_change", args=[ticket.pk]),
    }


def _mailbox(mail: OutboundMail) -> Sealed | None:
    return mailbox_for(_ticket(mail))


def _ticket(mail: OutboundMail) -> Ticket:
    ticket = Ticket.objects.filter(subject_id=mail.subject_id, pk=str(mail.object_id)).first()
    if ticket is None:
        raise MailOverdone
    return ticket
