"""What the watch over staff tells the gate when the site starts (PROTECT-3, USE-3)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext as _

from privacy.access.cases import CaseState, register_case
from privacy.access.gate import register_look_check
from privacy.access.oversight import evidence
from privacy.access.oversight.actions import REVIEWERS
from privacy.access.oversight.counting import check_number
from privacy.access.oversight.models import Review
from privacy.access.oversight.queries import open_reviews
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor


def register_all() -> None:
    register_look_check(check_number)
    evidence.register()
    register_case(Review._meta.label_lower, review_as_case, reviews_of)


def review_as_case(id: UUID, actor: Actor) -> CaseState | None:
    """Whoever reviews a look reads the reason that was given for it, and never of their own."""
    review = Review.objects.filter(pk=id).first()
    if review is None:
        return None
    is_theirs = review.is_open and actor.id not in (review.actor_id, review.subject_id)
    return CaseState(
        subject_ids=frozenset({review.subject_id}),
        roles=REVIEWERS,
        open_to=REVIEWERS if is_theirs else frozenset(),
        purposes=frozenset({Purpose.SECURITY}),
    )


def reviews_of(actor: Actor, subject_id: UUID) -> Iterable[tuple[UUID, str]]:
    if actor.role not in REVIEWERS:
        return []
    newest = open_reviews().filter(subject_id=subject_id).order_by("-id").values_list("pk", "actor_id")
    return [(id, _("review of a look")) for id, looked in newest[:5] if looked != actor.id]
