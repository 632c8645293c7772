"""Bar charts: numbers by week, drawn to one scale, with their words and their table."""

from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from privacy.interface import charts
from privacy.interface.charts import HEIGHT, WEEKS, chart_of, last_weeks, make_chart
from privacy.rights.models import Request
from privacy.vault.models import Subject

KINDS = dict(Request.Kind.choices)


def ask(at, kind=Request.Kind.EXPORT):
    Request.objects.create(subject=Subject.objects.create(), kind=kind, locale="en", made_at=at, due_at=at + timedelta(days=30))


def drawn(name="requests"):
    return chart_of(Request.objects.all(), "made_at", "kind", KINDS, name)


@pytest.fixture
def wednesday(time_machine):
    now = datetime(2030, 3, 6, 12, tzinfo=UTC)
    time_machine.move_to(now)
    return now


def test_last_weeks_are_mondays_and_the_running_week_is_the_last(wednesday):
    weeks = last_weeks()

    assert len(weeks) == WEEKS
    assert {week.weekday() for week in weeks} == {0}
    assert weeks[-1].isoformat() == "2030-03-04"


@pytest.mark.django_db
def test_rows_fall_into_their_weeks_and_kinds(wednesday):
    for days in (0, 1, 2, 3, 9):
        ask(wednesday - timedelta(days=days))
    ask(wednesday, Request.Kind.ERASURE)
    ask(wednesday - timedelta(weeks=WEEKS))

    chart = drawn()

    counts = {series.label: series.numbers[-3:] for series in chart.series}
    assert counts == {str(Request.Kind.EXPORT.label): [0, 2, 3], str(Request.Kind.ERASURE.label): [0, 0, 1]}
    assert chart.total == 6


@pytest.mark.django_db
def test_a_chart_is_one_query_and_then_none_for_five_minutes(wednesday, django_assert_num_queries):
    ask(wednesday)

    with django_assert_num_queries(1):
        first = drawn()
    ask(wednesday)
    with django_assert_num_queries(0):
        second = drawn()

    assert (first.total, second.total) == (1, 1)


@pytest.mark.django_db
def test_a_chart_is_drawn_without_the_cache(wednesday, monkeypatch):
    class Away:
        def get(self, key):
            raise redis.ConnectionError

        set = lambda self, *args: self.get(args)  # noqa: E731

    monkeypatch.setattr(charts, "cache", Away())
    ask(wednesday)

    assert drawn().total == 1


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(st.integers(0, 10_000), min_size=WEEKS, max_size=WEEKS)))
def test_bars_stay_inside_the_drawing_and_anything_can_be_seen(numbers):
    chart = make_chart(numbers, last_weeks())

    assert {series.label for series in chart.series} == {label for label, row in numbers.items() if any(row)}
    for series in chart.series:
        for bar in series.bars:
            assert (bar.height > 0) == (bar.number > 0)
            assert 0 <= bar.y <= HEIGHT
            assert bar.y + bar.height == pytest.approx(HEIGHT, abs=0.11)
            assert bar.x + chart.bar_width <= chart.width
    assert sum(sum(row) for _week, row in chart.rows) == chart.total


def test_the_drawing_has_words_a_table_and_no_style_of_its_own():
    chart = make_chart({"Copies <b>": [0] * 10 + [1, 2000]}, last_weeks())

    page = render_to_string("admin/chart.html", {"chart": chart, "title": "Requests"})

    assert 'role="img"' in page
    assert "2001 in 12 weeks" in page
    assert "<table>" in page
    assert "style=" not in page
    assert "<b>" not in page
    assert f'height="{HEIGHT}.0"' in page


def test_numbers_in_the_drawing_stay_numbers_in_every_language():
    with translation.override("de"):
        page = render_to_string("admin/chart.html", {"chart": make_chart({"a": [3, 1] * 6}, last_weeks()), "title": "x"})

    assert "," not in page.split("<svg")[1].split("</desc>")[1].split("</svg>")[0]


def test_an_empty_chart_says_so():
    page = render_to_string("admin/chart.html", {"chart": make_chart({"a": [0] * WEEKS}, last_weeks()), "title": "x"})

    assert "Nothing in the last 12 weeks." in page
    assert "<svg" not in page


def test_the_words_name_the_week_with_the_most(time_machine):
    time_machine.move_to(datetime(2030, 3, 6, tzinfo=UTC))
    chart = make_chart({"a": [0] * 9 + [4, 1, 0], "b": [1] * 12}, last_weeks())

    assert chart.series[0].words == "5 in 12 weeks, most in the week of Feb. 18, 2030: 4."
