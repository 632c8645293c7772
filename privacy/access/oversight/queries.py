"""Looks, closures and reviews as rules, pages and cards ask for them (PROTECT-3, USE-3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils import timezone

from audit.identifiers import first_uuid7
from privacy.access.models import Opening
from privacy.access.oversight.models import OpeningClosure, Review


def looks_since(moment: datetime) -> QuerySet[Opening]:
    """Looks of staff at others after this moment.

    Found by the time within their ids: no index of a personal table may begin with anything but the person.
    """
    return Opening.objects.filter(pk__gte=first_uuid7(moment), opened_at__gt=moment).exclude(subject_id=F("actor_id"))


def open_closures() -> QuerySet[OpeningClosure]:
    return OpeningClosure.objects.filter(lifted_at=None)


def open_reviews() -> QuerySet[Review]:
    return Review.objects.filter(reviewed_at=None)


def overdue_reviews() -> QuerySet[Review]:
    return open_reviews().filter(due_at__lt=timezone.now())


def verdicts_on(subject_id: UUID, opening_ids: Iterable[UUID]) -> dict[UUID, Review.Outcome]:
    """What a reviewer said of these looks at one person; nothing about those that nobody has reviewed."""
    if not (wanted := list(opening_ids)):
        return {}
    reviews = Review.objects.filter(subject_id=subject_id, opening_id__in=wanted, reviewed_at__isnull=False)
    return {id: Review.Outcome(outcome) for id, outcome in reviews.values_list("opening_id", "outcome")}
