"""Lifetimes count in calendar units and never end a day early."""

import calendar
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.declarations.lifetimes import Lifetime, Span, days, months, years
from privacy.declarations.purposes import Purpose

moments = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants bare bounds
spans = st.builds(Span, years=st.integers(0, 12), months=st.integers(0, 30), days=st.integers(0, 400), to_year_end=st.booleans())


@pytest.mark.parametrize(("start", "span", "end"), [
    (datetime(2024, 2, 29, 12, tzinfo=UTC), years(1), datetime(2025, 2, 28, 12, tzinfo=UTC)),
    (datetime(2024, 1, 31, tzinfo=UTC), months(1), datetime(2024, 2, 29, tzinfo=UTC)),
    (datetime(2023, 1, 31, tzinfo=UTC), months(1), datetime(2023, 2, 28, tzinfo=UTC)),
    (datetime(2024, 12, 31, tzinfo=UTC), days(1), datetime(2025, 1, 1, tzinfo=UTC)),
    (datetime(2024, 3, 5, tzinfo=UTC), years(10, to_year_end=True), datetime(2035, 1, 1, tzinfo=UTC)),
    (datetime(2024, 12, 31, 23, 59, tzinfo=UTC), years(8, to_year_end=True), datetime(2033, 1, 1, tzinfo=UTC)),
])  # fmt: skip
def test_the_end_of_a_span(start, span, end):
    assert span.end(start) == end


@given(start=moments, count=st.integers(0, 240))
def test_months_agree_with_the_calendar(start, count):
    """An oracle of its own: count months by hand and stay inside the month's last day."""
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])

    assert months(count).end(start) == start.replace(year=year, month=month + 1, day=day)


@pytest.mark.promise("CHANGE-3")
@given(now=moments, span=spans, ago=st.integers(0, 5000))
def test_the_cutoff_never_takes_what_is_not_over(now, span, ago):
    start = now - timedelta(days=ago)

    if start < span.latest_start(now):
        assert span.end(start) <= now


@given(now=moments, span=spans)
def test_the_cutoff_takes_what_has_been_over_for_a_few_days(now, span):
    start = span.latest_start(now) - timedelta(days=4)

    assert span.end(start) <= now + (timedelta(days=366) if span.to_year_end else timedelta())


def test_a_clock_that_has_not_started_has_no_end():
    class Case:
        closed_at = None

    class Record:
        case = Case()
        nothing = None

    assert Lifetime([Purpose.ORDER], "case__closed_at", days(1)).leaves_at(Record()) is None
    assert Lifetime([Purpose.ORDER], "nothing__closed_at", days(1)).leaves_at(Record()) is None
    Record.case.closed_at = datetime(2024, 1, 1, tzinfo=UTC)
    assert Lifetime([Purpose.ORDER], "case__closed_at", days(1)).leaves_at(Record()) == datetime(2024, 1, 2, tzinfo=UTC)
