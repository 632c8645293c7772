"""What happens to tickets by the clock alone, in small batches; every step is one action and safe to repeat (RIGHTS-5, RIGHTS-7)."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet
from django.utils import timezone

from privacy.access.gate import unit_of_work
from privacy.complaints.actions import close_ticket, discard_ticket, escalate_ticket, remind_of_ticket, stop_waiting
from privacy.complaints.clocks import UNCONFIRMED_FOR, WAIT_FOR_CUSTOMER
from privacy.complaints.errors import TicketRefused
from privacy.complaints.models import Ticket
from privacy.complaints.queries import overdue_tickets, tickets_due_soon
from privacy.policy.roles import Actor

BATCH = 200


def advance_timers(*, by: Actor) -> dict[str, int]:
    """Remind, escalate, go on, close and forget what is due for it; returns how many of each."""
    now = timezone.now()
    waiting = Ticket.objects.filter(state=Ticket.State.WAITING, waiting_since__lt=now - WAIT_FOR_CUSTOMER)
    resolved = Ticket.objects.filter(state=Ticket.State.RESOLVED, reopen_until__lte=now)
    unconfirmed = Ticket.objects.filter(state=Ticket.State.UNCONFIRMED, opened_at__lt=now - UNCONFIRMED_FOR)
    return {
        "reminded": _each(tickets_due_soon().filter(reminded_at=None), lambda ticket: remind_of_ticket(by=by, ticket=ticket)),
        "escalated": _each(overdue_tickets().filter(escalated_at=None), lambda ticket: escalate_ticket(by=by, ticket=ticket)),
        "waited_out": _each(waiting, lambda ticket: stop_waiting(by=by, ticket=ticket)),
        "closed": _each(resolved, lambda ticket: close_ticket(by=by, ticket=ticket)),
        "discarded": sum(discard_ticket(by=by, ticket=ticket) for ticket in unconfirmed.order_by("opened_at")[:BATCH]),
    }


def _each(tickets: QuerySet[Ticket], step: Callable[[Ticket], object]) -> int:
    done = 0
    for ticket in tickets.order_by("due_at")[:BATCH]:
        try:
            with unit_of_work():
                step(ticket)
        except TicketRefused:
            continue  # somebody moved it first
        done += 1
    return done
