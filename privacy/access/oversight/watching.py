"""What runs by the clock over the looks of staff: each stretch of time is judged once (PROTECT-2, USE-3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

from privacy.access.gate import unit_of_work
from privacy.access.oversight.drawing import draw_emergencies
from privacy.access.oversight.models import OpeningWatch
from privacy.access.oversight.rules import (
    looks_between,
    raise_colleagues,
    raise_ended_cases,
    raise_hours,
    raise_own_names,
    raise_shared_traits,
    raise_volume,
)
from privacy.alerts.actions import WATCH

# A look is dated when it is written and seen when its transaction has ended; none takes that long.
SETTLED_AFTER = timedelta(minutes=5)
FIRST_STRETCH = timedelta(days=1)


def watch_uses() -> None:
    """Numbers, hours, cases, colleagues, and people alike, since the last time; and a review for each emergency."""
    with _stretch(OpeningWatch.Part.USES) as (since, until):
        looks = looks_between(since, until)
        raise_volume(looks, until)
        raise_hours(looks, until)
        raise_ended_cases(since, until)
        raise_colleagues(looks)
        raise_shared_traits(until)
        draw_emergencies(by=WATCH)


def watch_names() -> None:
    """Whether somebody who was opened since the last time has the name of who opened them."""
    with _stretch(OpeningWatch.Part.NAMES) as (since, until):
        raise_own_names(looks_between(since, until))


@contextmanager
def _stretch(part: OpeningWatch.Part) -> Iterator[tuple[datetime, datetime]]:
    """From where the last run ended until now; kept with what was found in it, or neither is."""
    until = timezone.now() - SETTLED_AFTER
    with unit_of_work():
        OpeningWatch.objects.get_or_create(part=part, defaults={"watched_until": until - FIRST_STRETCH})
        watch = OpeningWatch.objects.select_for_update().get(part=part)
        yield watch.watched_until, until
        watch.watched_until = until
        watch.save(update_fields=["watched_until"])
