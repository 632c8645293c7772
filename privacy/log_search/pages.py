"""A page of what a search finds, its numbers, and its chart over time: quick however long the log is (USE-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from audit.pages import LogPage, numbers_by_week, page_of
from privacy.interface.charts import WEEKS, Chart, make_chart, monday_of, weeks_until
from privacy.log_search.searches import LogSearch, found_by, label_of
from privacy.policy.roles import Role

A_PAGE = 50
COUNTED_AT_MOST = 20_000
WEEKS_AT_MOST = 53


@dataclass(frozen=True)
class Found:
    """``number`` entries, or more than that where ``has_more``: then number and chart are of the newest alone."""

    page: LogPage
    number: int
    has_more: bool
    chart: Chart


def page_found(search: LogSearch, *, before: str = "", after: str = "") -> Found:
    """In two queries."""
    entries = found_by(search)
    counts = numbers_by_week(entries, COUNTED_AT_MOST)
    number = sum(counts.values())
    weeks = _weeks_of(search, [week for week, _role in counts])
    places = {week: place for place, week in enumerate(weeks)}
    rows: dict[str, list[int]] = {}
    for (week, role), count in counts.items():
        if week in places:
            rows.setdefault(role, [0] * len(weeks))[places[week]] += count
    labels = {role: label_of(Role, role) for role in sorted(rows)}
    chart = make_chart({labels[role]: rows[role] for role in labels}, weeks)
    return Found(page_of(entries, size=A_PAGE, before=before, after=after), min(number, COUNTED_AT_MOST), number > COUNTED_AT_MOST, chart)


def _weeks_of(search: LogSearch, counted: list[date]) -> list[date]:
    """The Mondays of the period that was asked for, or else of what was counted: WEEKS at least, the last WEEKS_AT_MOST of more."""
    last = monday_of(search.until) if search.until else max(counted, default=monday_of(timezone.now().date()))
    first = monday_of(search.since) if search.since else min(counted, default=last)
    number = min(max((last - first).days // 7 + 1, WEEKS), WEEKS_AT_MOST)
    return weeks_until(last, number)
