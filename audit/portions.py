"""Keeps USE-3: the log is read in portions of a few thousand entries, fetched while those before are hashed.

A portion comes packed, as a few long values: unpacking them here costs less than fetching thousands of rows.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from sys import getswitchinterval, setswitchinterval
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection

from audit.commitments import NOBODY, content_sql
from audit.models import Retirement

PORTION = 4096  # sixteen tiles
_AHEAD = 2  # portions: while PostgreSQL stores leaves, it need not wait to read the next entries
_TURN, _USUAL_TURN = 0.0001, getswitchinterval()  # seconds

_ENTRIES = f"""
SELECT string_agg(uuid_send(id), ''), string_agg(uuid_send(coalesce(subject_id, %s)), ''),
    string_agg(textsend(content), '\\x00'), max(transaction)::text
FROM (
    SELECT transaction, id, subject_id, {content_sql()} AS content FROM (
        SELECT * FROM audit_entry
        WHERE (transaction, id) > (%s, %s) AND transaction < %s ORDER BY transaction, id LIMIT %s
    ) portion OFFSET 0
) packed
"""  # noqa: S608 - constants alone

# Whole when no value is of a length that would push the others out of place.
_LEAVES = """
SELECT bool_and(octet_length(commitment) = 32 AND key_id IS DISTINCT FROM %s),
    string_agg(uuid_send(entry_id), ''), string_agg(uuid_send(coalesce(key_id, %s)), ''), string_agg(commitment, '')
FROM (SELECT entry_id, key_id, commitment FROM audit_leaf WHERE index >= %s AND index < %s ORDER BY index) portion
"""

_LEAF_ROWS = """
SELECT index, uuid_send(entry_id), uuid_send(key_id), commitment FROM audit_leaf WHERE index >= %s AND index < %s ORDER BY index
"""

_ENTRY_ROWS = f"""
SELECT uuid_send(id), {content_sql()} FROM audit_entry
WHERE (transaction, id) > (%s, %s) AND transaction < %s ORDER BY transaction, id LIMIT %s
"""  # noqa: S608 - constants alone

_COPY_HEAD = 11 + 4 + 4 + 2  # signature, flags, extension, number of fields

_NIL, _LAST = UUID(int=0), UUID(int=2**128 - 1)

T = TypeVar("T")


class Place(NamedTuple):
    """Where a portion of entries begins: behind this entry, in the order of the log."""

    transaction: int
    id: UUID


class Entries(NamedTuple):
    """Ids of 16 bytes end to end, NOBODY for the person of an entry that concerns nobody; `end` is the last one's place."""

    ids: bytes
    subjects: bytes
    contents: list[bytes]
    end: Place


class LeafRow(NamedTuple):
    place: int
    entry_id: bytes
    key_id: bytes | None
    commitment: bytes


class EntryRow(NamedTuple):
    id: bytes
    content: bytes


class Leaves(NamedTuple):
    """Ids of 16 bytes and commitments of 32, end to end; `is_whole` is False where a damaged row spoils that."""

    is_whole: bool
    ids: bytes
    keys: bytes
    commitments: bytes

    @classmethod
    def of(cls, rows: Sequence[LeafRow]) -> "Leaves":
        ids, keys = b"".join(row.entry_id for row in rows), b"".join(row.key_id or NOBODY for row in rows)
        return cls(True, ids, keys, b"".join(row.commitment for row in rows))


class Portion(NamedTuple):
    """The leaves from `start` up to, not including, `end`, and the entries that belong to those in `present`.

    `present` counts from 0 within the portion; the entries of the others were retired.
    """

    start: int
    end: int
    place: Place
    watermark: int
    leaves: Leaves
    present: Sequence[int]
    entries: Entries


class RetiredSpans:
    """The ids whose entries have left the log by its own lifetime."""

    def __init__(self) -> None:
        self.rows = list(Retirement.objects.order_by("first_id"))
        self._starts = [row.first_id.bytes for row in self.rows]
        self._end = max((row.end_id.bytes for row in self.rows), default=b"")

    def span_of(self, entry_id: bytes) -> Retirement | None:
        if entry_id >= self._end:  # where nearly all are
            return None
        place = bisect_right(self._starts, entry_id) - 1
        return self.rows[place] if place >= 0 and entry_id < self.rows[place].end_id.bytes else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RetiredSpans) and self._starts == other._starts

    __hash__ = None  # type: ignore[assignment]


def read_ahead(portions: Iterator[T]) -> Generator[T, None, None]:
    """The same portions, each read by a thread with a connection of its own while those before are worked on.

    What they read is committed: the thread sees nothing of the transaction of whoever asks.
    """
    with _quick_turns(), ThreadPoolExecutor(1, initializer=_follow_the_index) as thread:
        try:
            following = deque(thread.submit(next, portions, None) for _ in range(_AHEAD))
            while (portion := following.popleft().result()) is not None:
                following.append(thread.submit(next, portions, None))
                yield portion
        finally:
            thread.submit(_close_connection).result()


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Python lets a thread wait 5 ms for one that hashes, several times for each portion; PostgreSQL would wait with it."""
    setswitchinterval(_TURN)
    try:
        yield
    finally:
        setswitchinterval(_USUAL_TURN)


def _follow_the_index() -> None:
    """Without statistics PostgreSQL would sort the whole rest of the log for each portion."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_sort = off; SET enable_bitmapscan = off; SET enable_seqscan = off")


def _close_connection() -> None:
    """Of the thread that runs this."""
    connection.close()


def first_place(transaction: int) -> Place:
    """Before every entry of this transaction and those after it."""
    return Place(max(transaction - 1, 0), _LAST)


def entries_between(place: Place, watermark: int, at_least: int) -> Iterator[Entries]:
    """The entries behind a place whose transaction is below a watermark, up to the end of the one that brings so many."""
    while at_least > 0 and (entries := read_entries(place, watermark, min(at_least, PORTION))).ids:
        yield entries
        place, at_least = entries.end, at_least - len(entries.contents)
    while (entries := read_entries(place, min(watermark, place.transaction + 1), PORTION)).ids:
        yield entries
        place = entries.end


def portions_between(start: int, end: int, place: Place, watermark: int, retired: RetiredSpans) -> Iterator[Portion]:
    """Leaves with their entries; last a portion without leaves, with an entry if there is one too many."""
    while start < end:
        following = min(start + PORTION, end)
        leaves = read_leaves(start, following)
        present = _present(leaves.ids, retired)
        entries = read_entries(place, watermark, len(present)) if present else Entries(b"", b"", [], place)
        yield Portion(start, following, place, watermark, leaves, present, entries)
        start, place = following, entries.end
    yield Portion(end, end, place, watermark, read_leaves(end, end), (), read_entries(place, watermark, 1))


def read_entries(place: Place, watermark: int, number: int) -> Entries:
    ids, subjects, contents, transaction = _packed(_ENTRIES, [_NIL, str(place.transaction), place.id, str(watermark), number])
    if not ids:
        return Entries(b"", b"", [], place)
    return Entries(ids, subjects, contents.split(b"\0"), Place(int(transaction), UUID(bytes=ids[-16:])))


def read_leaves(start: int, end: int) -> Leaves:
    is_whole, *packed = _packed(_LEAVES, [_NIL, _NIL, start, end])
    return Leaves(is_whole != b"\0", *packed)


def _packed(query: str, parameters: Sequence[Any]) -> list[bytes]:
    """The one row of a query as PostgreSQL keeps it, b"" for NULL: as text, it would have to be made and read anew."""
    with connection.cursor() as cursor, connection.wrap_database_errors:
        file = BytesIO()
        cursor.copy_expert(f"COPY ({cursor.mogrify(query, parameters).decode()}) TO STDOUT WITH (FORMAT binary)", file)
    data, values, start = file.getvalue(), [], _COPY_HEAD
    for _ in range(int.from_bytes(data[start - 2 : start], "big")):
        length = int.from_bytes(data[start : start + 4], "big", signed=True)
        start += 4
        values.append(data[start : start + max(length, 0)])
        start += max(length, 0)
    return values


def read_leaf_rows(portion: Portion) -> list[LeafRow]:
    """The leaves of a portion one by one, as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAF_ROWS, [portion.start, portion.end])
        return [LeafRow(place, *(value and bytes(value) for value in values)) for place, *values in cursor.fetchall()]


def read_entry_rows(portion: Portion) -> list[EntryRow]:
    """The entries of a portion one by one, as many as it has leaves; of the last one, whatever is too many."""
    number = max(portion.end - portion.start, 1)
    with connection.cursor() as cursor:
        cursor.execute(_ENTRY_ROWS, [str(portion.place.transaction), portion.place.id, str(portion.watermark), number])
        return [EntryRow(bytes(entry_id), content.encode()) for entry_id, content in cursor.fetchall()]


def split(packed: bytes, length: int = 16) -> list[bytes]:
    return [packed[start : start + length] for start in range(0, len(packed), length)]


def _present(ids: bytes, retired: RetiredSpans) -> Sequence[int]:
    if not retired.rows:
        return range(len(ids) // 16)
    return [place for place, entry_id in enumerate(split(ids)) if retired.span_of(entry_id) is None]
