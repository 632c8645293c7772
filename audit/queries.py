"""Keeps USE-3: reads what the log says about a person, and whether the log itself is well."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from audit.models import Checkpoint, Entry, Verification

INTEGRATED_WITHIN = timedelta(minutes=10)
VERIFIED_WITHIN = timedelta(hours=2)  # it runs every hour
COUNTED_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class LogHealth:
    """How the log is. `waiting` entries are not in the tree yet, counted up to COUNTED_AT_MOST."""

    entries: int
    checkpoint_age: timedelta | None
    verification: Verification | None
    waiting: int
    waiting_for: timedelta | None
    ok: bool


def entries_about(subject_id: UUID) -> QuerySet[Entry]:
    """Everything that was done with this person's data, newest first."""
    return Entry.objects.filter(subject_id=subject_id).order_by("-at", "-id")


def log_health() -> LogHealth:
    """Look at the log in five small queries.

    Not ok when the last verification failed or is older than VERIFIED_WITHIN, or when an entry
    has waited for its place in the tree longer than INTEGRATED_WITHIN.
    """
    now = timezone.now()
    newest = Checkpoint.objects.order_by("-size").first()
    verification = Verification.objects.order_by("-finished_at").first()
    unintegrated = Entry.objects.filter(transaction__gte=newest.watermark if newest else 0)
    oldest = unintegrated.order_by("transaction", "id").first()
    waiting_for = now - oldest.at if oldest else None
    return LogHealth(
        entries=newest.size if newest else 0,
        checkpoint_age=now - newest.signed_at if newest else None,
        verification=verification,
        waiting=unintegrated[:COUNTED_AT_MOST].count(),
        waiting_for=waiting_for,
        ok=_is_verified(verification, now) and (waiting_for is None or waiting_for < INTEGRATED_WITHIN),
    )


def _is_verified(verification: Verification | None, now: datetime) -> bool:
    """Before the first verification the age of the first checkpoint counts."""
    if verification:
        return verification.result == Verification.Result.OK and now - verification.finished_at < VERIFIED_WITHIN
    first = Checkpoint.objects.order_by("size").first()
    return first is None or now - first.signed_at < VERIFIED_WITHIN
