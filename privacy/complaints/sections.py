"""A person's tickets in the copy of their data; what was written is in it by its declarations (RIGHTS-1, RIGHTS-5)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from privacy.complaints.models import Ticket
from privacy.complaints.queries import tickets_of
from privacy.rights.cases import Case
from privacy.rights.sections import Column, Row, Section, register_section


def _tickets(subject_id: UUID) -> Iterable[Row]:
    for ticket in tickets_of(subject_id).reverse().iterator(chunk_size=500):
        yield {
            "code": ticket.code,
            "kind": ticket.get_kind_display(),
            "state": ticket.get_state_display(),
            "opened_at": ticket.opened_at,
            "due_at": ticket.due_at,
            "first_answered_at": ticket.first_answered_at,
            "outcome": ticket.get_outcome_display(),
            "resolved_at": ticket.resolved_at,
            "closed_at": ticket.closed_at,
        }


def describe_tickets(subject_id: UUID, ids: set[UUID]) -> dict[UUID, Case]:
    """Words for the pages on which people see what their data was used for."""
    tickets = tickets_of(subject_id).filter(pk__in=ids)
    return {ticket.pk: Case(str(_("message %(code)s") % {"code": ticket.code}), ticket.get_absolute_url()) for ticket in tickets}


def register_ticket_section() -> None:
    register_section(
        Section(
            "tickets",
            _("Your messages and complaints"),
            _("Each question or complaint with its dates and what came of it. Its words are among the messages."),
            (
                Column("code", _("Reference")),
                Column("kind", _("Kind")),
                Column("state", _("State")),
                Column("opened_at", _("Received"), kind="datetime"),
                Column("due_at", _("To be answered by"), kind="datetime"),
                Column("first_answered_at", _("First answered"), kind="datetime"),
                Column("outcome", _("Outcome")),
                Column("resolved_at", _("Answered"), kind="datetime"),
                Column("closed_at", _("Closed"), kind="datetime"),
            ),
            _tickets,
        )
    )


LABEL = Ticket._meta.label_lower
