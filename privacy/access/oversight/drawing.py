"""Which looks somebody else judges: every emergency, and a sample that nobody can foresee (PROTECT-3, USE-3)."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from audit.events import Event
from audit.record import NewEntry, record_many
from privacy.access.models import Opening
from privacy.access.oversight.actions import REVIEWERS
from privacy.access.oversight.errors import NotOverseer, OwnLook
from privacy.access.oversight.models import Review
from privacy.access.oversight.queries import looks_since
from privacy.policy.roles import Actor
from privacy.vault.models import Subject

WEEK = timedelta(days=7)

_lot = secrets.SystemRandom()


@transaction.atomic
def draw_sample(*, by: Actor) -> int:
    """Draw the looks of the last seven days that are reviewed; returns how many.

    At least one of each member of staff who looked at somebody, and as many more as make up the number of the week.
    What was drawn before counts, so that running it again draws nothing more.
    """
    looks = looks_since(timezone.now() - WEEK).filter(is_break_glass=False).exclude(case_label=Review._meta.label_lower)
    drawn = set(Review.objects.filter(opening_id__in=looks.values("pk")).values_list("opening_id", flat=True))
    by_actor: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for id, actor_id in looks.order_by().values_list("pk", "actor_id").iterator():
        by_actor[actor_id].append(id)
    chosen = {_lot.choice(own) for own in by_actor.values() if drawn.isdisjoint(own)}
    rest = [id for own in by_actor.values() for id in own if id not in drawn | chosen]
    missing = max(0, settings.REVIEWS_A_WEEK - len(drawn) - len(chosen))
    chosen.update(_lot.sample(rest, min(missing, len(rest))))
    return _begin(Opening.objects.filter(pk__in=chosen), Review.Cause.SAMPLE, by)


@transaction.atomic
def draw_emergencies(*, by: Actor) -> int:
    """A review for each look without a case that has none yet; returns how many."""
    reviewed = Review.objects.filter(opening_id=OuterRef("pk"))
    emergencies = looks_since(timezone.now() - WEEK).filter(~Exists(reviewed), is_break_glass=True)
    return _begin(emergencies, Review.Cause.BREAK_GLASS, by)


@transaction.atomic
def draw_questioned(*, by: Actor, opening: Opening) -> Review:
    """A review of a look that the person complains about; the one there is, where it was drawn before.

    Raises NotOverseer, OwnLook.
    """
    if by.role not in REVIEWERS:
        raise NotOverseer
    if by.id in (opening.actor_id, opening.subject_id):
        raise OwnLook
    Subject.objects.select_for_update().get(pk=opening.subject_id)
    if not Review.objects.filter(opening_id=opening.pk).exists():
        _begin(Opening.objects.filter(pk=opening.pk), Review.Cause.COMPLAINT, by)
    return Review.objects.get(opening_id=opening.pk)


def _begin(looks: QuerySet[Opening], cause: Review.Cause, by: Actor) -> int:
    reviews = Review.objects.bulk_create(_reviews(looks, cause))
    record_many(NewEntry(event=Event.REVIEW_DRAWN, by=by, subject=review.subject_id, object=review) for review in reviews)
    return len(reviews)


def _reviews(looks: Iterable[Opening], cause: Review.Cause) -> list[Review]:
    due_at = timezone.now() + settings.REVIEWED_WITHIN
    return [
        Review(opening_id=look.pk, subject_id=look.subject_id, actor_id=look.actor_id, role=look.role, cause=cause, due_at=due_at)
        for look in looks
    ]
