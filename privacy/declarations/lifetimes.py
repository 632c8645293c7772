"""How long a record lives, declared once and obeyed by pages, erasure and purge (CHANGE-3, RIGHTS-8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import TextChoices
from django.utils.functional import Promise

from privacy.declarations.purposes import Purpose


class Then(TextChoices):
    """What happens when a lifetime is over."""

    DELETE = "delete"


@dataclass(frozen=True)
class Span:
    """A length of time in calendar units; ``to_year_end`` rounds its start up to 31 December."""

    years: int = 0
    months: int = 0
    days: int = 0
    to_year_end: bool = False

    def end(self, start: datetime) -> datetime:
        """The moment (UTC) at which a span that began at ``start`` is over.

        Months and years are calendar units: adding 30 or 365 days instead lands on the wrong day after
        every long month and every leap year (Regulation 1182/71, Art. 3).
        """
        if self.to_year_end:
            start = datetime.combine(date(start.astimezone(UTC).year + 1, 1, 1), time(), tzinfo=UTC)
        return start + relativedelta(years=self.years, months=self.months) + timedelta(days=self.days)

    def latest_start(self, now: datetime) -> datetime:
        """The cutoff for a query: every span that began before it is over at ``now``.

        Never too early; where a month has no such day, up to three days late (31 January plus one month
        ends on 28 February, but 28 February minus one month is 28 January).
        """
        moment = now - timedelta(days=self.days) - relativedelta(years=self.years, months=self.months)
        if self.to_year_end:
            moment = datetime.combine(date(moment.astimezone(UTC).year, 1, 1), time(), tzinfo=UTC)
        return moment


def days(n: int) -> Span:
    return Span(days=n)


def months(n: int) -> Span:
    return Span(months=n)


def years(n: int, *, to_year_end: bool = False) -> Span:
    return Span(years=n, to_year_end=to_year_end)


@dataclass(frozen=True)
class Floor:
    """A legal duty to keep: erasure leaves the record until its lifetime ends, and says why.

    ``citation`` names the law; ``explanation`` is what the person reads.
    """

    citation: str
    explanation: Promise


@dataclass(frozen=True)
class Lifetime:
    """When a record of one model goes.

    ``starts`` is the path from the record to the moment that starts the clock (for example
    ``order__closed_at``); while that moment is empty the clock stands still. ``floor`` marks a record
    that erasure must leave until then. ``until`` says in words what the clock waits for.
    """

    purposes: Sequence[Purpose]
    starts: str
    lasts: Span
    until: Promise | str = ""
    then: Then = Then.DELETE
    floor: Floor | None = None

    def start_of(self, record: object) -> datetime | None:
        """The moment the clock started for ``record``, or None while it stands still."""
        value: Any = record
        for step in self.starts.split("__"):
            value = getattr(value, step, None)
            if value is None:
                return None
        moment: datetime = value
        return moment

    def leaves_at(self, record: object) -> datetime | None:
        """When ``record`` goes, or None while that cannot be known yet."""
        start = self.start_of(record)
        return None if start is None else self.lasts.end(start)
