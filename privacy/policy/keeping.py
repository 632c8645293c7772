"""How each promise stands now, for the public page, the dashboard and programs (all ids)."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import redis
from django.conf import settings
from django.core.cache import cache
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from privacy.policy.promise_tests import promise_marks
from privacy.policy.promises import PROMISES, Evidence, Group, Promise, evidence_of

KEPT_SECONDS = 60


class Standing(TextChoices):
    """What the evidence says of a promise."""

    KEPT = "kept", _("kept")
    FAILED = "failed", _("late or failed")
    NOTHING_YET = "nothing_yet", _("nothing to judge yet")
    NOT_BUILT = "not_built", _("not kept yet")


@dataclass(frozen=True)
class Row:
    """One promise with what shows it, as it stood at ``checked_at``."""

    promise: Promise
    standing: Standing
    evidence: list[Evidence]
    tests: int
    checked_at: datetime

    @property
    def is_against(self) -> bool:
        return self.standing in (Standing.FAILED, Standing.NOT_BUILT)


def promise_rows() -> list[Row]:
    """Every promise in published order; the evidence is at most a minute old."""
    checked_at, evidence = _evidence()
    tests = number_of_tests(settings.BASE_DIR)
    return [Row(promise, standing_of(promise, evidence[id]), evidence[id], tests[id], checked_at) for id, promise in PROMISES.items()]


def rows_by_group(rows: list[Row]) -> list[tuple[Group, list[Row]]]:
    return [(group, [row for row in rows if row.promise.group == group]) for group in Group]


def standing_of(promise: Promise, evidence: list[Evidence]) -> Standing:
    """One answer against it is enough; nobody's answer is none for it."""
    if promise.control is None or promise.missing:
        return Standing.NOT_BUILT
    answers = {answer.ok for answer in evidence}
    if False in answers:
        return Standing.FAILED
    return Standing.KEPT if True in answers else Standing.NOTHING_YET


def number_not_kept(rows: list[Row]) -> int:
    return sum(row.is_against for row in rows)


@lru_cache(maxsize=1)
def number_of_tests(root: Path) -> Counter[str]:
    """How many tests are marked with each promise; none where the program was installed without its tests."""
    try:
        return Counter(mark.promise_id for mark in promise_marks(root))
    except (OSError, SyntaxError):
        return Counter()


def _evidence() -> tuple[datetime, dict[str, list[Evidence]]]:
    """All evidence and when it was gathered, kept a minute for each language: counts and dates alone, of nobody."""
    key = f"promises:{get_language()}"
    with contextlib.suppress(redis.RedisError):
        if kept := cache.get(key):
            return kept
    found = timezone.now(), {id: evidence_of(id) for id in PROMISES}
    with contextlib.suppress(redis.RedisError):
        cache.set(key, found, KEPT_SECONDS)
    return found
