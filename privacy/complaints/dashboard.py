"""What waits for the people who answer, on the staff's front page (RIGHTS-5, RIGHTS-7)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from privacy.access.assignment_pages import assignment_card
from privacy.complaints.models import Ticket
from privacy.complaints.queries import (
    handled_by,
    long_unanswered_tickets,
    overdue_tickets,
    tickets_due_soon,
    tickets_in_work,
    unanswered_tickets,
)
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.roles import Actor, Role

ANSWERS = frozenset({Role.SUPPORT, Role.PRIVACY_OFFICER})
OVERSEES = ANSWERS | {Role.ADMINISTRATOR}


@dashboard_card
def overdue(actor: Actor) -> Card | None:
    """Escalated: also for those who do not answer themselves."""
    if actor.role not in OVERSEES:
        return None
    text = _("Past the day that the person was told.")
    return _card(_("Tickets overdue"), _of(actor, overdue_tickets()), text, State.LATE, "?clock=overdue")


@dashboard_card
def due_soon(actor: Actor) -> Card | None:
    if actor.role not in ANSWERS:
        return None
    text = _("To be answered within 5 days.")
    return _card(_("Tickets due soon"), _of(actor, tickets_due_soon()), text, State.WATCH, "?clock=soon")


@dashboard_card
def unanswered(actor: Actor) -> Card | None:
    if actor.role not in ANSWERS:
        return None
    late = _of(actor, long_unanswered_tickets())
    waited = ngettext("%(number)d has waited for more than 7 days.", "%(number)d have waited for more than 7 days.", late)
    text = waited % {"number": late} if late else _("Somebody wrote and has heard nothing since.")
    number = _of(actor, unanswered_tickets())
    return _card(_("Tickets unanswered"), number, text, State.LATE if late else State.WATCH, "?clock=unanswered")


@dashboard_card
def to_work_on(actor: Actor) -> Card | None:
    if actor.role not in ANSWERS:
        return None
    address = reverse("admin:privacy_ticket_changelist")
    return assignment_card(_("Tickets to work on"), handled_by(tickets_in_work(), actor.role), actor, address)


def _of(actor: Actor, tickets: QuerySet[Ticket]) -> int:
    """Those that this role can answer; all of them for whoever oversees."""
    return (handled_by(tickets, actor.role) if actor.role in ANSWERS else tickets).count()


def _card(title: str | Promise, number: int, text: str | Promise, waiting: State, query: str) -> Card:
    address = reverse("admin:privacy_ticket_changelist") + query
    return Card(Section.NEEDS_YOU, title, number, text, waiting if number else State.GOOD, address)
