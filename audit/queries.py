"""Keeps USE-3: reads what the log says about a person, and whether the log itself is well."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from audit.checkpoints import newest_checkpoint
from audit.models import Checkpoint, Entry, Verification

INTEGRATED_WITHIN = timedelta(minutes=10)
VERIFIED_WITHIN = timedelta(hours=2)  # what is new, every hour
WHOLLY_VERIFIED_WITHIN = timedelta(days=8)  # every night; a very long log on Sundays
COUNTED_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class LogHealth:
    """How the log is. `waiting` entries are not in the tree yet, counted up to COUNTED_AT_MOST.

    `verification` is the newest, `whole` the newest of the whole log.
    """

    entries: int
    checkpoint_age: timedelta | None
    verification: Verification | None
    whole: Verification | None
    waiting: int
    waiting_for: timedelta | None
    holds: bool
    is_verified: bool

    @property
    def is_integrated(self) -> bool:
        return self.waiting_for is None or self.waiting_for < INTEGRATED_WITHIN

    @property
    def ok(self) -> bool:
        return self.holds and self.is_verified and self.is_integrated


def entries_about(subject_id: UUID) -> QuerySet[Entry]:
    """Everything that was done with this person's data, newest first."""
    return Entry.objects.filter(subject_id=subject_id).order_by("-at", "-id")


def log_health() -> LogHealth:
    """Look at the log in a few small queries.

    Not ok when a verification failed and none has read the same again and found it good, when the last is older than
    VERIFIED_WITHIN or the last of the whole log older than WHOLLY_VERIFIED_WITHIN, or when an entry has waited for
    its place in the tree longer than INTEGRATED_WITHIN.
    """
    now = timezone.now()
    newest = newest_checkpoint()
    newest_first = Verification.objects.order_by("-finished_at")
    verification, whole = newest_first.first(), newest_first.filter(kind=Verification.Kind.FULL).first()
    unintegrated = Entry.objects.filter(transaction__gte=newest.watermark if newest else 0)
    oldest = unintegrated.order_by("transaction", "id").first()
    return LogHealth(
        entries=newest.size if newest else 0,
        checkpoint_age=now - newest.signed_at if newest else None,
        verification=verification,
        whole=whole,
        waiting=unintegrated[:COUNTED_AT_MOST].count(),
        waiting_for=now - oldest.at if oldest else None,
        holds=not open_failures(last_good()).exists(),
        is_verified=_is_verified(verification, whole, now),
    )


def last_good() -> Verification | None:
    """The newest verification that found the log to hold up to its end; one of a month says nothing of the rest."""
    good = Verification.objects.filter(result=Verification.Result.OK).exclude(kind=Verification.Kind.MONTH)
    return good.order_by("-finished_at").first()


def open_failures(good: Verification | None) -> QuerySet[Verification]:
    """What failed and has not been read again and found good since."""
    failed = Verification.objects.filter(result=Verification.Result.FAILED)
    return failed.filter(finished_at__gt=good.finished_at) if good else failed


def _is_verified(verification: Verification | None, whole: Verification | None, now: datetime) -> bool:
    """Before the first verification the age of the first checkpoint counts."""
    if verification is None or whole is None:
        first = Checkpoint.objects.order_by("size").first()
        return first is None or now - first.signed_at < VERIFIED_WITHIN
    return now - verification.finished_at < VERIFIED_WITHIN and now - whole.finished_at < WHOLLY_VERIFIED_WITHIN
