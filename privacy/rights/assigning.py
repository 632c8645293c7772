"""Which of the privacy office has a request (RIGHTS-7, PROTECT-3)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from privacy.access.assignment import assigned, chosen, require_as_seen
from privacy.policy.roles import Actor
from privacy.rights.errors import NotYourDecision, TooLate
from privacy.rights.models import Request
from privacy.rights.queries import OFFICERS


@transaction.atomic
def assign_request(*, by: Actor, request: Request, agent: UUID | None = None, seen: UUID | None = None) -> Request:
    """Give a request to a member of the privacy office, to the actor where none is named; away from ``seen`` alone, who
    had it on the page that was shown. Raises NotYourDecision, TooLate for what has ended, TakenMeanwhile, NotTheirWork.
    """
    locked = _in_work(by, request, seen)
    holder = chosen(by, agent, OFFICERS)
    _give(locked, holder.id)
    record(Event.REQUEST_TAKEN, by=by, subject=locked.subject_id, object=locked, outcome="ok" if holder.id == by.id else "given")
    return locked


@transaction.atomic
def release_request(*, by: Actor, request: Request, seen: UUID | None = None) -> Request:
    """Give a request back to the office, off the list of ``seen`` or the actor. Raises NotYourDecision, TooLate, TakenMeanwhile."""
    locked = _in_work(by, request, seen)
    _give(locked, None)
    record(Event.REQUEST_RELEASED, by=by, subject=locked.subject_id, object=locked)
    return locked


def _in_work(by: Actor, request: Request, seen: UUID | None) -> Request:
    if by.role not in OFFICERS:
        raise NotYourDecision
    locked = Request.objects.select_for_update().get(pk=request.pk)
    if not locked.is_in_work:
        raise TooLate
    require_as_seen(locked, by, seen, OFFICERS)
    return locked


def _give(request: Request, agent: UUID | None) -> None:
    for name, value in assigned(agent, timezone.now()).items():
        setattr(request, name, value)
    request.save(update_fields=["assigned_to", "assigned_at"])
