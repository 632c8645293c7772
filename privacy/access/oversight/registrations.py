"""What the watch over staff tells the gate when the site starts (PROTECT-3, USE-3)."""

from __future__ import annotations

from uuid import UUID

from privacy.access.cases import CaseState, register_case
from privacy.access.gate import register_look_check, register_watcher
from privacy.access.oversight import evidence
from privacy.access.oversight.actions import REVIEWERS
from privacy.access.oversight.counting import check_number
from privacy.access.oversight.models import Review
from privacy.access.oversight.traits import note_trait
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor


def register_all() -> None:
    register_look_check(check_number)
    register_watcher(note_trait)
    evidence.register()
    register_case(Review._meta.label_lower, review_as_case)


def review_as_case(id: UUID, actor: Actor) -> CaseState | None:
    """Whoever reviews a look reads the reason that was given for it, and never of their own.

    No finder: it is offered on its own page alone, where nothing but the reason stands.
    """
    review = Review.objects.filter(pk=id).first()
    if review is None:
        return None
    is_theirs = review.is_open and actor.id not in (review.actor_id, review.subject_id)
    return CaseState(
        subject_ids=frozenset({review.subject_id}),
        roles=REVIEWERS,
        open_to=REVIEWERS if is_theirs else frozenset(),
        purposes=frozenset({Purpose.SECURITY}),
        ended_at=review.reviewed_at,
    )
