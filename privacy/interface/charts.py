"""Small bar charts that show staff what happened when: numbers by week, drawn as SVG, with a table behind (USE-3).

Nothing is styled inline: shapes have attributes and classes, and the style sheet gives them their colors.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import redis
from django.core.cache import cache
from django.db.models import Count, Model, QuerySet
from django.db.models.functions import TruncWeek
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

WEEKS = 12
KEPT_SECONDS = 300
BAR, GAP, HEIGHT = 8, 2, 32

T = TypeVar("T")
Numbers = dict[str, list[int]]


@dataclass(frozen=True)
class Bar:
    """One rectangle, in the units of the drawing."""

    x: int
    y: float
    height: float
    number: int


@dataclass(frozen=True)
class Series:
    """One row of the chart: what it counts, and the number of each week, oldest first."""

    label: str
    numbers: Sequence[int]
    highest: int
    weeks: Sequence[date] = field(repr=False)

    @property
    def total(self) -> int:
        return sum(self.numbers)

    @property
    def bars(self) -> list[Bar]:
        """Each at least a unit high where there is anything, so that one of a thousand can still be seen."""
        bars = []
        for place, number in enumerate(self.numbers):
            height = round(max(number / self.highest * HEIGHT, 1.0), 1) if number else 0.0
            bars.append(Bar(place * (BAR + GAP), round(HEIGHT - height, 1), height, number))
        return bars

    @property
    def words(self) -> str:
        """What somebody who cannot see the bars needs: the sum, and the week with the most."""
        if not self.total:
            return _("None in %(weeks)d weeks.") % {"weeks": len(self.numbers)}
        most = max(self.numbers)
        week = self.weeks[list(self.numbers).index(most)]
        return _("%(total)d in %(weeks)d weeks, most in the week of %(day)s: %(most)d.") % {
            "total": self.total,
            "weeks": len(self.numbers),
            "day": date_format(week, "DATE_FORMAT"),
            "most": most,
        }


@dataclass(frozen=True)
class Chart:
    """Several series over the same weeks, all drawn to one scale."""

    weeks: Sequence[date]
    series: Sequence[Series]

    @property
    def ends_now(self) -> bool:
        """Whether the last week is the one that is running."""
        return self.weeks[-1] == last_weeks(1)[0]

    @property
    def width(self) -> int:
        return len(self.weeks) * (BAR + GAP) - GAP

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def bar_width(self) -> int:
        return BAR

    @property
    def total(self) -> int:
        return sum(series.total for series in self.series)

    @property
    def rows(self) -> list[tuple[date, list[int]]]:
        """The table behind it: each week with the number of every series, newest first."""
        return [(week, [series.numbers[place] for series in self.series]) for place, week in enumerate(self.weeks)][::-1]


def chart_of(rows: QuerySet[Any], moment: str, kind: str, labels: Mapping[str, Any], name: str) -> Chart:
    """Rows counted by week of ``moment`` and by ``kind``, the series in the order of ``labels``.

    One query, whose numbers are kept five minutes under ``name``: numbers and names of kinds alone.
    """
    weeks = last_weeks()
    counts = kept_numbers(f"chart:{name}:{weeks[-1]:%Y%m%d}", lambda: count_by_week(rows, moment, kind, weeks))
    return make_chart({str(label): counts.get(str(value), [0] * WEEKS) for value, label in labels.items()}, weeks)


def make_chart(numbers: Mapping[str, Sequence[int]], weeks: Sequence[date]) -> Chart:
    """Leaves out series without anything; an empty chart has none."""
    filled = {label: row for label, row in numbers.items() if any(row)}
    highest = max((number for row in filled.values() for number in row), default=1)
    return Chart(weeks, [Series(label, row, highest, weeks) for label, row in filled.items()])


def last_weeks(number: int = WEEKS) -> list[date]:
    """The Mondays of the last weeks in UTC, oldest first; the last one is the week that is running."""
    return weeks_until(monday_of(timezone.now().date()), number)


def weeks_until(last: date, number: int) -> list[date]:
    """So many Mondays, oldest first, up to this one."""
    return [last - timedelta(weeks=back) for back in reversed(range(number))]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def count_by_week(rows: QuerySet[Model], moment: str, kind: str, weeks: Sequence[date]) -> Numbers:
    """How many rows of each kind fall into each week."""
    start = datetime.combine(weeks[0], datetime.min.time(), tzinfo=timezone.get_default_timezone())
    found = (
        rows.filter(**{f"{moment}__gte": start})
        .order_by()
        .annotate(week=TruncWeek(moment))
        .values_list("week", kind)
        .annotate(number=Count("pk"))
    )
    places = {week: place for place, week in enumerate(weeks)}
    counts: Numbers = {}
    for week, value, number in found:
        place = places.get(week.date())
        if place is not None:
            counts.setdefault(str(value), [0] * len(weeks))[place] += number
    return counts


def kept_numbers(key: str, count: Callable[[], T]) -> T:
    """What ``count`` gives, at most five minutes old; without the cache it is counted each time."""
    with contextlib.suppress(redis.RedisError):
        if (kept := cache.get(key)) is not None:
            return kept
    numbers = count()
    with contextlib.suppress(redis.RedisError):
        cache.set(key, numbers, KEPT_SECONDS)
    return numbers
