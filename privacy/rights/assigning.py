"""Which of the privacy office has a request (RIGHTS-7, PROTECT-3)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from audit.events import Event
from audit.record import record
from privacy.access.assignment import chosen
from privacy.policy.roles import Actor
from privacy.rights.errors import NotYourDecision, TooLate
from privacy.rights.models import Request
from privacy.rights.queries import OFFICERS


@transaction.atomic
def assign_request(*, by: Actor, request: Request, agent: UUID | None = None) -> Request:
    """Give a request to a member of the privacy office, to the actor where none is named; also away from another one.

    Raises NotYourDecision, TooLate for what has ended, NotTheirWork.
    """
    locked = _in_work(by, request)
    holder = chosen(by, agent, OFFICERS)
    _give(locked, holder.id)
    record(Event.REQUEST_TAKEN, by=by, subject=locked.subject_id, object=locked, outcome="ok" if holder.id == by.id else "given")
    return locked


@transaction.atomic
def release_request(*, by: Actor, request: Request) -> Request:
    """Give a request back to the office. Raises NotYourDecision, TooLate."""
    locked = _in_work(by, request)
    _give(locked, None)
    record(Event.REQUEST_RELEASED, by=by, subject=locked.subject_id, object=locked)
    return locked


def _in_work(by: Actor, request: Request) -> Request:
    if by.role not in OFFICERS:
        raise NotYourDecision
    locked = Request.objects.select_for_update().get(pk=request.pk)
    if not locked.is_in_work:
        raise TooLate
    return locked


def _give(request: Request, agent: UUID | None) -> None:
    request.assigned_to_id = agent
    request.save(update_fields=["assigned_to"])
