"""Keeps USE-3: finds the first entry that was changed, removed, inserted or moved, reading the log once, in order."""

import heapq
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple, cast
from uuid import UUID

from django.db import connection
from django.db.models import Max, Min

from audit.checkpoints import all_outside, check_row, verifier_keys
from audit.commitments import NOBODY, CommitmentKey, KeysAtHand, key_source, leaf_hashes
from audit.errors import CheckpointBroken
from audit.events import Event
from audit.identifiers import first_uuid7
from audit.models import Checkpoint, Entry, Leaf
from audit.notes import CheckpointText
from audit.portions import (
    EntryRow,
    LeafRow,
    Leaves,
    Portion,
    RetiredSpans,
    first_place,
    portions_between,
    read_ahead,
    read_entry_rows,
    read_leaf_rows,
    split,
)
from audit.queries import last_good, open_failures
from audit.tiles import WIDTH, FullTile, GrowingTiles, first_bad_tile, growing_tiles, is_from_before_tiles, stored_size, surplus_tile

_ROWS = 1000

Progress = Callable[[int, int], None]


class Stretch(NamedTuple):
    """What to verify: from the size of one checkpoint (0 is the beginning) to that of another (None is the newest)."""

    start: int = 0
    end: int | None = None


WHOLE = Stretch()


@dataclass(slots=True)
class Tally:
    """What was verified: leaves, those of erased people and of retired months among them, checkpoints that hold.

    `first` is the place where it began, `held` the size of the last checkpoint that holds.
    """

    first: int = 0
    entries: int = 0
    erased: int = 0
    retired: int = 0
    checkpoints: int = 0
    held: int = 0


class Fault(Exception):
    """The first thing that is wrong: one sentence, and the entry and place where there is one."""

    def __init__(self, finding: str, *, entry_id: UUID | None = None, index: int | None = None) -> None:
        super().__init__(finding)
        self.finding, self.entry_id, self.index = finding, entry_id, index


class Extent(NamedTuple):
    """How far the log is integrated: leaves, and the transaction up to which entries have one."""

    size: int
    watermark: int


class Target(NamedTuple):
    """A root that the tree must have at a size; `row` is None for a checkpoint kept outside."""

    size: int
    root: bytes
    row: Checkpoint | None


def find_fault(progress: Progress, stretch: Stretch = WHOLE) -> tuple[Tally, Fault | None]:
    """Read the log, or a stretch of it, and return what was verified and the first fault, if any.

    Entries integrated meanwhile are left to the next time. Memory does not grow with the log.
    """
    while True:
        retired = RetiredSpans()
        walk = Walk(retired, progress)
        try:
            walk.go(stretch)
        except Fault as fault:
            if retired == RetiredSpans():
                return walk.tally, fault
        except CheckpointBroken as error:
            return walk.tally, Fault(str(error))
        else:
            return walk.tally, None
        # A month was retired while it was read.


class Walk:
    """Grows the tree anew from the leaves and compares it with each checkpoint that it passes."""

    def __init__(self, retired: RetiredSpans, progress: Progress) -> None:
        self.tally = Tally()
        self._retired = retired
        self._spans = {row.pk: SpanTally() for row in retired.rows}
        self._progress = progress
        self._keys = KeysAtHand(_known_keys)
        self._targets: Iterator[Target] = iter(())
        self._target: Target | None = None
        self._tree = GrowingTiles()

    def go(self, stretch: Stretch) -> None:
        outside = list(all_outside())  # before the extent: what is outside was committed earlier
        extent = _extent()
        start, end = _checkpoint(stretch.start), extent if stretch.end is None else _end_at(stretch.end)
        self._last = end.size
        self._tiled = stored_size() if is_from_before_tiles() else extent.size
        self._grow_from(start)
        self._targets = _targets(self._tree.size, end.size, outside)
        self._target = next(self._targets, None)
        place = first_place(start.watermark if start else 0)
        portions = portions_between(self._tree.size, end.size, place, end.watermark, self._retired)
        with closing(read_ahead(portions)) as ahead:
            for portion in ahead:
                self._check(portion)
                if portion.leaves.ids:
                    self._progress(self._tree.size, end.size)
        _check_reach(extent, outside)
        _check_surplus(extent.size)
        self._check_retirements(is_whole=stretch == WHOLE)

    def _grow_from(self, start: Checkpoint | None) -> None:
        """Begin with the tree of a checkpoint, whose newest leaves and tiles lead to the root that was signed."""
        self._tree = growing_tiles(start.size if start else 0)
        if start is None:
            return
        check_row(start, verifier_keys())
        if self._tree.frontier.root() != bytes(start.root):
            raise Fault(f"the newest leaves or tiles of the {start.size} that a checkpoint covers are damaged", index=start.size - 1)
        self.tally.first = self.tally.held = start.size

    def _check(self, portion: Portion) -> None:
        """Each entry with its leaf, then the checkpoints and tiles that these leaves reach."""
        leaves, fault = portion.leaves, None
        if not self._is_sound(portion):
            leaves, fault = self._look_closely(portion)
        self._reach(leaf_hashes(split(leaves.ids), split(leaves.keys), split(leaves.commitments, 32)))
        if fault:
            raise fault

    def _is_sound(self, portion: Portion) -> bool:
        """Whether each entry of a portion is the one that its leaf commits to; counts them when all are."""
        leaves, entries = portion.leaves, portion.entries
        ids, key_ids = split(leaves.ids), split(leaves.keys)
        if not leaves.is_whole or len(ids) != portion.end - portion.start:
            return False
        if entries.ids != (leaves.ids if len(portion.present) == len(ids) else b"".join([ids[place] for place in portion.present])):
            return False
        commitments = split(leaves.commitments, 32)
        if len(portion.present) < len(ids):
            key_ids = [key_ids[place] for place in portion.present]
            commitments = [commitments[place] for place in portion.present]
        keys, erased = self._keys_of(set(key_ids))
        number = 0
        for key_id, committed, content in zip(key_ids, commitments, entries.contents, strict=True):
            if key := keys.get(key_id):
                if key.commit(content) != committed:
                    return False
            elif key_id in erased:
                number += 1
            else:
                return False
        self.tally.erased += number
        self._count_retired(portion, ids)
        return True

    def _keys_of(self, key_ids: set[bytes]) -> tuple[Mapping[bytes, CommitmentKey], set[bytes]]:
        """The keys of these ids, the house's of NOBODY; and which of the others an erasure destroyed."""
        keys = self._keys.of(key_ids)
        gone = {UUID(bytes=key_id) for key_id in key_ids - keys.keys()}
        return keys, {key_id.bytes for key_id in key_source().destroyed_keys(gone)} if gone else set()

    def _count_retired(self, portion: Portion, ids: Sequence[bytes]) -> None:
        if len(portion.present) < len(ids):
            for place in set(range(len(ids))).difference(portion.present):
                self._retire(portion.start + place, ids[place])

    def _retire(self, index: int, entry_id: bytes) -> None:
        if span := self._retired.span_of(entry_id):
            self._spans[span.pk].append_place(index)
            self.tally.retired += 1

    def _look_closely(self, portion: Portion) -> tuple[Leaves, Fault]:
        """The leaves before the first fault of a portion, and the fault."""
        leaf_rows, entry_rows = read_leaf_rows(portion), iter(read_entry_rows(portion))
        leaves = {leaf.place: leaf for leaf in leaf_rows}
        keys, erased = self._keys_of({leaf.key_id or NOBODY for leaf in leaf_rows})
        good: list[LeafRow] = []
        for place in range(portion.start, portion.end):
            leaf = leaves.get(place)
            if leaf and self._retired.span_of(leaf.entry_id):
                good.append(leaf)
                continue
            entry = next(entry_rows, None)
            if fault := self._fault_at(place, leaf, entry, keys, erased):
                return Leaves.of(good), fault
            good.append(cast(LeafRow, leaf))
        if portion.start == portion.end and (entry := next(entry_rows, None)):
            return Leaves.of(good), self._misplaced(portion.end, None, entry)
        return Leaves.of(good), Fault(f"the log from {portion.start} to {portion.end} changed while it was read")

    def _fault_at(
        self, place: int, leaf: LeafRow | None, entry: EntryRow | None, keys: Mapping[bytes, CommitmentKey], erased: set[bytes]
    ) -> Fault | None:
        if not leaf or not entry or leaf.entry_id != entry.id:
            return self._misplaced(place, leaf, entry)
        if leaf.key_id == NOBODY or len(leaf.commitment) != 32:
            return _fault("has a damaged leaf", leaf)
        key = keys.get(leaf.key_id or NOBODY)
        if key and key.commit(entry.content) != leaf.commitment:
            return _fault("was changed", leaf)
        if not key and leaf.key_id not in erased:
            return _fault("cannot be verified: its key is gone and no erasure destroyed it", leaf)
        return None

    def _misplaced(self, place: int, leaf: LeafRow | None, entry: EntryRow | None) -> Fault:
        """Name what is at a place where leaves and entries stop matching."""
        entry_id = UUID(bytes=entry.id) if entry else None
        if entry_id and (self._retired.span_of(entry_id.bytes) or not Leaf.objects.filter(entry_id=entry_id).exists()):
            if leaf is None and place < self._last:
                return Fault(f"leaf {place} of entry {entry_id} is missing", entry_id=entry_id, index=place)
            return Fault(f"entry {entry_id} was inserted", entry_id=entry_id, index=place)
        if leaf is None:
            return Fault(f"leaf {place} is missing", entry_id=entry_id, index=place)
        if not Entry.objects.filter(id=UUID(bytes=leaf.entry_id)).exists():
            return _fault("was removed", leaf)
        return _fault("was moved", leaf)

    def _reach(self, hashes: Sequence[bytes]) -> None:
        """Grow the tree by these leaves, and stop at each checkpoint on the way."""
        full: list[FullTile] = []
        while (target := self._target) and target.size <= self._tree.size + len(hashes):
            ahead = target.size - self._tree.size
            full += self._tree.extend(hashes[:ahead])
            hashes = hashes[ahead:]
            self.tally.entries += ahead
            self._check_target(target)
            self._target = next(self._targets, None)
        full += self._tree.extend(hashes)
        self.tally.entries += len(hashes)
        self._check_tiles(full)

    def _check_target(self, target: Target) -> None:
        frontier = self._tree.frontier
        if target.row:
            check_row(target.row, verifier_keys())
        if frontier.root() != target.root:
            place = "in the database" if target.row else "outside the database"
            raise Fault(f"the leaves do not lead to the root of the checkpoint of {target.size} entries {place}")
        if target.row:
            if frontier.to_bytes() != bytes(target.row.frontier):
                raise Fault(f"the frontier of the checkpoint of {target.size} entries is damaged")
            self.tally.checkpoints += 1
            self.tally.held = target.size

    def _check_tiles(self, full: Iterable[FullTile]) -> None:
        bad = first_bad_tile(tile for tile in full if (tile.number + 1) * WIDTH ** (tile.level + 1) <= self._tiled)
        if bad:
            raise Fault(f"tile {bad.number} of level {bad.level} is damaged or missing", index=bad.number * WIDTH ** (bad.level + 1))

    def _check_retirements(self, *, is_whole: bool) -> None:
        """Each month that has left did so by an entry, and took no more entries with it than it says."""
        for row in self._retired.rows:
            spans = self._spans[row.pk]
            if is_whole and (spans.number, spans.first, spans.last) != (row.entries, row.first_index, row.last_index):
                raise Fault(f"the retired month {row} says {row.entries} entries, and {spans.number} are missing", index=spans.first)
            recorded = Entry.objects.filter(event=Event.LOG_MONTH_RETIRED, object_id=row.pk)
            if not recorded.exists() and not self._retired.span_of(first_uuid7(row.retired_at).bytes):
                raise Fault(f"the month {row} was retired without an entry", index=row.first_index)


@dataclass(slots=True)
class SpanTally:
    """The leaves whose entries were retired with one span."""

    number: int = 0
    first: int | None = None
    last: int | None = None

    def append_place(self, index: int) -> None:
        self.number += 1
        self.first = index if self.first is None else min(self.first, index)
        self.last = index if self.last is None else max(self.last, index)


def _extent() -> Extent:
    """Read in one statement: an integration that commits meanwhile is seen whole or not at all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.size, c.watermark::text, (SELECT max(index) + 1 FROM audit_leaf)"
            " FROM (SELECT 1) one LEFT JOIN audit_checkpoint c ON true ORDER BY c.size DESC LIMIT 1"
        )
        size, watermark, leaves = cursor.fetchone()
    extent = Extent(size or 0, int(watermark or 0))
    if (leaves or 0) > extent.size:
        leaf = Leaf.objects.filter(index__gte=extent.size).order_by("index")[0]
        raise Fault(f"leaf {leaf.index} is in no checkpoint", entry_id=leaf.entry_id, index=leaf.index)
    return extent


def since_last() -> Stretch:
    """From the last checkpoint that held; where something failed since, from the one before that."""
    good = last_good()
    failed = open_failures(good).aggregate(held=Min("held_size"))["held"]
    return Stretch(min(good.held_size if good else 0, failed if failed is not None else sys.maxsize))


def of_month(day: date) -> Stretch:
    """From the last checkpoint before the first entry of the month to the first one that covers its last.

    By the leaves, whose places the tree itself proves: the checkpoints' own times would leave out what committed late.
    """
    first = datetime(day.year, day.month, 1, tzinfo=UTC)
    following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    places = Leaf.objects.filter(entry_id__gte=first_uuid7(first), entry_id__lt=first_uuid7(following))
    reach = places.aggregate(first=Min("index"), last=Max("index"))
    if reach["first"] is None:
        return Stretch(0, 0)
    before = Checkpoint.objects.filter(size__lte=reach["first"]).order_by("-size").first()
    until = Checkpoint.objects.filter(size__gt=reach["last"]).order_by("size").first()
    return Stretch(before.size if before else 0, until.size if until else None)


def _checkpoint(size: int) -> Checkpoint | None:
    if not size:
        return None
    if row := Checkpoint.objects.filter(size=size).first():
        return row
    raise Fault(f"the checkpoint of {size} entries, which held, is gone")


def _end_at(size: int) -> Extent:
    row = _checkpoint(size)
    return Extent(row.size, row.watermark) if row else Extent(0, 0)


def _check_reach(extent: Extent, outside: Iterable[CheckpointText]) -> None:
    for text in outside:
        if text.size > extent.size:
            raise Fault(f"rolled back: outside the database the log has {text.size} entries, here {extent.size}")


def _check_surplus(size: int) -> None:
    """A tile that an integration stored meanwhile came with a checkpoint: it is looked for again in the tree of that."""
    while place := surplus_tile(size):
        grown = _extent().size
        if grown == size:
            raise Fault("tile {1} of level {0} is of no tree of this log".format(*place))
        size = grown


def _targets(start: int, end: int, outside: Iterable[CheckpointText]) -> Iterator[Target]:
    """All checkpoints above one size up to another, smallest first, in the database and outside it."""
    inside = (Target(row.size, bytes(row.root), row) for row in _checkpoints(start, end))
    beside = (Target(text.size, text.root, None) for text in outside if start < text.size <= end)
    return heapq.merge(inside, beside, key=lambda target: target.size)


def _checkpoints(start: int, end: int) -> Iterator[Checkpoint]:
    while rows := list(Checkpoint.objects.filter(size__gt=start, size__lte=end).order_by("size")[:_ROWS]):
        yield from rows
        start = rows[-1].size


def _known_keys(key_ids: set[UUID]) -> Iterator[tuple[UUID, UUID, bytes]]:
    for key_id, key in key_source().known_keys(key_ids).items():
        yield key_id, key_id, key


def _fault(what: str, leaf: LeafRow) -> Fault:
    entry_id = UUID(bytes=leaf.entry_id)
    return Fault(f"entry {entry_id} at {leaf.place} {what}", entry_id=entry_id, index=leaf.place)
