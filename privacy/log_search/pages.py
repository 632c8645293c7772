"""A page of what a search finds, its numbers, and its chart over time: quick however long the log is (USE-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from audit.pages import LogPage, Stretch, numbers_by_week, page_of, stretch_of
from privacy.interface.charts import WEEKS, Chart, make_chart, monday_of, weeks_until
from privacy.log_search.searches import LogSearch, looked_through, picked_from, role_label

A_PAGE = 50
COUNTED_AT_MOST = 20_000
LOOKED_THROUGH, FURTHER = 200_000, 1_000_000  # a glance first; whoever wants to look further back waits a second
WEEKS_AT_MOST = 53


@dataclass(frozen=True)
class Found:
    """``number`` entries, or more than that where ``has_more``: then number and chart are of the newest alone.

    All of it is of the ``stretch`` that was looked through.
    """

    page: LogPage
    number: int
    has_more: bool
    chart: Chart
    stretch: Stretch


def page_found(search: LogSearch, *, before: str = "", after: str = "", beyond: str = "") -> Found:
    """In three queries at most. ``beyond`` is the end of the stretch that was looked through before; "" to begin."""
    reach, stretch = looked_through(search), Stretch()
    if not search.is_found_at_once:
        stretch = stretch_of(reach, FURTHER if beyond else LOOKED_THROUGH, beyond)
    entries = picked_from(stretch.of(reach), search)
    counts = numbers_by_week(entries, COUNTED_AT_MOST)
    number = sum(counts.values())
    weeks = _weeks_of(search, stretch, [week for week, _role in counts])
    places = {week: place for place, week in enumerate(weeks)}
    rows: dict[str, list[int]] = {}
    for (week, role), count in counts.items():
        if week in places:
            rows.setdefault(role, [0] * len(weeks))[places[week]] += count
    labels = {role: role_label(role) for role in sorted(rows)}
    chart = make_chart({labels[role]: rows[role] for role in labels}, weeks)
    page = page_of(entries, size=A_PAGE, before=before, after=after)
    return Found(page, min(number, COUNTED_AT_MOST), number > COUNTED_AT_MOST, chart, stretch)


def _weeks_of(search: LogSearch, stretch: Stretch, counted: list[date]) -> list[date]:
    """The Mondays of the period that was asked for, or else of what was counted: WEEKS at least, the last WEEKS_AT_MOST of more.

    None from before the end of a stretch: bars of nothing would say that nothing was there.
    """
    until = stretch.begins.date() if stretch.begins else search.until
    since = stretch.ends.date() if stretch.ends else search.since
    last = monday_of(until) if until else max(counted, default=monday_of(timezone.now().date()))
    first = monday_of(since) if since else min(counted, default=last)
    number = min(max((last - first).days // 7 + 1, 1 if stretch.ends else WEEKS), WEEKS_AT_MOST)
    return weeks_until(last, number)
