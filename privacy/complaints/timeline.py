"""A ticket's way as people read it: what happened, what is going on, what comes next and by when (RIGHTS-5)."""

from __future__ import annotations

from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from privacy.complaints.models import Ticket, TicketEvent
from privacy.interface.timeline import Step

Kind, State = TicketEvent.Kind, Ticket.State
BAD = (Kind.ESCALATED,)


def steps_for_person(ticket: Ticket) -> list[Step]:
    """The public steps, then what comes next."""
    events = ticket.events.exclude(kind__in=TicketEvent.INTERNAL)
    return [_step(event) for event in events] + _coming(ticket)


def steps_for_staff(ticket: Ticket) -> list[Step]:
    """Every step, with who took it."""
    return [
        Step(str(Kind(event.kind).label), "bad" if event.kind in BAD else "done", at=event.at, text=str(event.get_role_display()))
        for event in ticket.events.all()
    ]


def _step(event: TicketEvent) -> Step:
    text = str(Ticket.Outcome(event.code).label) if event.code in Ticket.Outcome else ""
    return Step(str(Kind(event.kind).label), "bad" if event.kind in BAD else "done", at=event.at, text=text)


def _coming(ticket: Ticket) -> list[Step]:
    if ticket.state == State.OPEN:
        return [Step(_("We look into it and answer you here."), "now", when=_("now")), _answer(ticket)]
    if ticket.state == State.WAITING:
        return [Step(_("We wait for your answer."), "now", when=_("now")), _answer(ticket)]
    if ticket.state == State.RESOLVED and ticket.reopen_until is not None:
        return [
            Step(
                _("It is closed, unless you ask us to look again before."), "ahead", at=ticket.reopen_until, when=_day(ticket.reopen_until)
            )
        ]
    return []


def _answer(ticket: Ticket) -> Step:
    if ticket.state == State.WAITING and ticket.stands_still_while_waiting:
        return Step(_("Our time to answer runs on when you have written."), "ahead", when=_("then"))
    text = _("We are late. Our privacy officer sees that.") if ticket.due_at < timezone.now() else ""
    return Step(_("You have our answer, at the latest."), "ahead", at=ticket.due_at, when=_day(ticket.due_at), text=text)


def _day(moment: datetime) -> str:
    return formats.date_format(moment, "DATE_FORMAT")
