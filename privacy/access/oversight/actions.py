"""Confirm a need, close and lift openings, judge a look (PROTECT-3, USE-3, RIGHTS-9)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from privacy.access.oversight.errors import AlreadyDecided, NotOverseer, OwnLook
from privacy.access.oversight.models import OpeningClosure, OpeningConfirmation, Review
from privacy.alerts.actions import OFFICE, WATCH, raise_alert
from privacy.alerts.models import AlertKind
from privacy.policy.roles import Actor, Role

LIFTERS = frozenset({Role.PRIVACY_OFFICER})
REVIEWERS = OFFICE


@transaction.atomic
def confirm_need(*, by: Actor) -> OpeningConfirmation:
    """The actor says that they need to open more people; the soft limit counts anew. Raises NotOverseer for no staff."""
    if not by.is_staff:
        raise NotOverseer
    confirmation = OpeningConfirmation.objects.create(actor_id=by.id, role=by.role)  # type: ignore[misc]
    record(Event.OPENINGS_CONFIRMED, by=by, object=confirmation)
    return confirmation


@transaction.atomic
def close_openings(*, actor_id: UUID, role: str, people: int, by: Actor = WATCH) -> OpeningClosure:
    """Let this member of staff open nobody until a privacy officer lifts it, and alert the office; once while it holds."""
    closure, is_new = OpeningClosure.objects.get_or_create(actor_id=actor_id, lifted_at=None, defaults={"role": role, "people": people})
    if is_new:
        record(Event.OPENINGS_CLOSED, by=by, object=closure)
        raise_alert(kind=AlertKind.OPENINGS_CLOSED, about=Reference.to(closure), actor_id=actor_id, role=role, count=people)
    return closure


@transaction.atomic
def lift_closure(*, by: Actor, closure: OpeningClosure) -> OpeningClosure:
    """Let them open people again, counted from now. Raises NotOverseer, OwnLook, AlreadyDecided."""
    if by.role not in LIFTERS:
        raise NotOverseer
    if by.id == closure.actor_id:
        raise OwnLook
    locked = OpeningClosure.objects.select_for_update().get(pk=closure.pk)
    if not locked.is_open:
        raise AlreadyDecided
    locked.lifted_at = timezone.now()
    locked.lifted_by = by.id
    locked.save(update_fields=["lifted_at", "lifted_by"])
    record(Event.OPENINGS_LIFTED, by=by, object=locked)
    return locked


@transaction.atomic
def decide_review(*, by: Actor, review: Review, outcome: Review.Outcome, note: str = "") -> Review:
    """Judge a look; the person sees the outcome, and an unjustified one alerts the office. ``note`` names nobody.

    Raises NotOverseer, OwnLook, AlreadyDecided.
    """
    if by.role not in REVIEWERS:
        raise NotOverseer
    if by.id in (review.actor_id, review.subject_id):
        raise OwnLook
    locked = Review.objects.select_for_update().get(pk=review.pk)
    if not locked.is_open:
        raise AlreadyDecided
    locked.reviewed_at = timezone.now()
    locked.reviewed_by = by.id
    locked.outcome = outcome
    locked.note = note.strip()
    locked.save(update_fields=["reviewed_at", "reviewed_by", "outcome", "note"])
    record(Event.REVIEW_DECIDED, by=by, subject=locked.subject_id, object=locked, outcome=outcome)
    if outcome == Review.Outcome.UNJUSTIFIED:
        raise_alert(
            kind=AlertKind.OPENING_UNJUSTIFIED,
            about=Reference.to(locked),
            subject_id=locked.subject_id,
            actor_id=locked.actor_id,
            role=locked.role,
        )
    return locked
