"""A page of 50 rows with four masks each, against the same page of plain texts. No hint of a value is stored in clear to get there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.template import engines

from benchmarks.many_rows import make_rows
from benchmarks.models import PlainRow, SealedRow
from benchmarks.rounds import Row, times_as_fast
from privacy.access.gate import unit_of_work

ROWS, PAGES = 50, 20
PAGE = """{% extends "base.html" %}{% block content %}<table>{% for row in rows %}
<tr><td>{{ row.pk }}</td><td>{{ row.name }}</td><td>{{ row.email }}</td><td>{{ row.street }}</td><td>{{ row.message }}</td></tr>
{% endfor %}</table>{% endblock %}"""


def rows() -> Iterator[Row]:
    some = make_rows(people=ROWS, rows=ROWS)
    masked, plain = page_of(some, SealedRow), page_of(some, PlainRow)
    yield times_as_fast(f"a page of {ROWS} rows with four masks each", "plain CharFields", 0.7, masked, plain)


def page_of(some: Callable[[type], Any], model: type) -> Callable[[], object]:
    template = engines["django"].from_string(PAGE)

    def answer() -> str:
        with unit_of_work():
            return template.render({"rows": list(some(model))})

    return lambda: [answer() for _ in range(PAGES)]
