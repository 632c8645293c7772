"""Keeps USE-3: the log is read a page at a time, from where the page before ended, however long it is."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from audit.models import Entry

PLACE = r"\A\d{1,17}-[0-9a-f]{32}\Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some entries, newest first, and the places from which to ask for newer and for older ones; "" where there are none."""

    entries: list[Entry]
    newer: str
    older: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is looked through at once, by places: all that is older than ``start``, back to ``end`` and with it; "" is an end of the log."""

    start: str = ""
    end: str = ""

    @property
    def begins(self) -> datetime | None:
        return _read_place(self.start)[0] if self.start else None

    @property
    def ends(self) -> datetime | None:
        return _read_place(self.end)[0] if self.end else None

    def of(self, entries: QuerySet[Entry]) -> QuerySet[Entry]:
        """Those of the entries that lie in it."""
        entries = _older_than(entries, self.start) if self.start else entries
        return _not_older_than(entries, self.end) if self.end else entries


def page_of(entries: QuerySet[Entry], *, size: int, before: str = "", after: str = "") -> LogPage:
    """The newest ``size`` entries older than ``before``, or the oldest newer than ``after``, in one query.

    A place is microseconds and id, as PLACE says: where the entry there has gone, the page is the same. Numbered pages would
    read everything before them once more, and shift under the reader while entries come in.
    """
    if after and not before:
        found = list(_newer_than(entries, after).order_by("at", "id")[: size + 1])
        shown = found[:size][::-1]
        return LogPage(shown, _place(shown[0]) if len(found) > size else "", _place(shown[-1]) if shown else "")
    found = list((_older_than(entries, before) if before else entries).order_by("-at", "-id")[: size + 1])
    shown = found[:size]
    return LogPage(shown, _place(shown[0]) if before and shown else "", _place(shown[-1]) if len(found) > size else "")


def stretch_of(entries: QuerySet[Entry], number: int, start: str = "") -> Stretch:
    """The newest ``number`` of these entries that are older than ``start``."""
    older = _older_than(entries, start) if start else entries
    last_and_next = older.only("at").order_by("-at", "-id")[number - 1 : number + 1]
    return Stretch(start, _place(last_and_next[0]) if len(last_and_next) > 1 else "")


def count_up_to(entries: QuerySet[Entry], bound: int) -> int:
    """How many there are; ``bound`` + 1 where there are more than ``bound``, for counting them all takes seconds."""
    return entries.order_by("-at", "-id")[: bound + 1].count()


def numbers_by_week(entries: QuerySet[Entry], bound: int) -> dict[tuple[date, str], int]:
    """How many entries by Monday (UTC) and role, in one query; of the newest ``bound`` + 1 where there are more than ``bound``."""
    newest = entries.order_by("-at", "-id").values("at", "actor_role")[: bound + 1]
    sql, values = newest.query.sql_with_params()
    grouped = "SELECT date_trunc('week', at AT TIME ZONE 'UTC')::date, actor_role, count(*) FROM"
    with connection.cursor() as cursor:
        cursor.execute(f"{grouped} ({sql}) AS newest GROUP BY 1, 2", values)
        return {(week, role): number for week, role, number in cursor.fetchall()}


def _older_than(entries: QuerySet[Entry], place: str) -> QuerySet[Entry]:
    at, id = _read_place(place)
    return entries.filter(at__lte=at).exclude(at=at, id__gte=id)


def _not_older_than(entries: QuerySet[Entry], place: str) -> QuerySet[Entry]:
    at, id = _read_place(place)
    return entries.filter(at__gte=at).exclude(at=at, id__lt=id)


def _newer_than(entries: QuerySet[Entry], place: str) -> QuerySet[Entry]:
    at, id = _read_place(place)
    return entries.filter(at__gte=at).exclude(at=at, id__lte=id)


def _place(entry: Entry) -> str:
    return f"{(entry.at - _EPOCH) // _MICROSECOND}-{entry.pk.hex}"


def _read_place(place: str) -> tuple[datetime, UUID]:
    """Raises ValueError for what ``page_of`` gave nobody."""
    if not re.fullmatch(PLACE, place):
        raise ValueError("not a place in the log")
    microseconds, _dash, id = place.partition("-")
    return _EPOCH + int(microseconds) * _MICROSECOND, UUID(hex=id)
