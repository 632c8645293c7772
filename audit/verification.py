"""Keeps USE-3: finds the first entry that was changed, removed, inserted or moved, reading the log once, in order."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from audit.checkpoints import all_outside, check_row, verifier_keys
from audit.commitments import commitment, content_sql, house_key, key_source, leaf_bytes
from audit.errors import CheckpointBroken
from audit.models import Checkpoint, Entry, Leaf
from audit.notes import CheckpointText
from audit.tree import Frontier, leaf_hash

_ROWS = 5000

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Tally:
    """What was verified: leaves, those of erased people among them, checkpoints that hold."""

    entries: int = 0
    erased: int = 0
    checkpoints: int = 0


class Fault(Exception):
    """The first thing that is wrong: one sentence, and the entry and place where there is one."""

    def __init__(self, finding: str, *, entry_id: UUID | None = None, index: int | None = None) -> None:
        super().__init__(finding)
        self.finding, self.entry_id, self.index = finding, entry_id, index


class Extent(NamedTuple):
    """How far the log is integrated: leaves, and the transaction up to which entries have one."""

    size: int
    watermark: int


class LeafRow(NamedTuple):
    place: int
    entry_id: bytes
    commitment: bytes
    key_id: bytes | None


class EntryRow(NamedTuple):
    id: bytes
    content: str


class Target(NamedTuple):
    """A root that the tree must have at a size; `row` is None for a checkpoint kept outside."""

    size: int
    root: bytes
    row: Checkpoint | None


def find_fault(progress: Progress) -> tuple[Tally, Fault | None]:
    """Read the log up to its newest checkpoint; return what was verified and the first fault, if any.

    Entries integrated meanwhile are left to the next time. Memory does not grow with the log.
    """
    tally = Tally()
    try:
        outside = list(all_outside())  # before the extent: what is outside was committed earlier
        with transaction.atomic():  # server-side cursors live as long as their transaction
            _walk(_extent(), outside, tally, progress)
    except Fault as fault:
        return tally, fault
    except CheckpointBroken as error:
        return tally, Fault(str(error))
    return tally, None


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


def _walk(extent: Extent, outside: Iterable[CheckpointText], tally: Tally, progress: Progress) -> None:
    """Grow the tree anew from the leaves and compare it with each checkpoint that it passes."""
    frontier = Frontier()
    hashes = chain.from_iterable(_checked_leaf_hashes(extent, tally))
    for target in _targets(extent, outside):
        if target.size > extent.size:
            raise Fault(f"rolled back: outside the database the log has {target.size} entries, here {extent.size}")
        while frontier.size < target.size:
            frontier.extend(islice(hashes, min(_ROWS, target.size - frontier.size)))
            progress(frontier.size, extent.size)
        _check_target(frontier, target, tally)
    for _ in hashes:  # what follows the last checkpoint is an entry that has no leaf: a Fault
        pass


def _targets(extent: Extent, outside: Iterable[CheckpointText]) -> Iterator[Target]:
    """All checkpoints, smallest first, in the database and outside it."""
    rows = Checkpoint.objects.filter(size__lte=extent.size).order_by("size").iterator(chunk_size=_ROWS)
    inside = (Target(row.size, bytes(row.root), row) for row in rows)
    return heapq.merge(inside, (Target(text.size, text.root, None) for text in outside), key=lambda target: target.size)


def _check_target(frontier: Frontier, target: Target, tally: Tally) -> None:
    if target.row:
        check_row(target.row, verifier_keys())
    if frontier.root() != target.root:
        place = "in the database" if target.row else "outside the database"
        raise Fault(f"the leaves do not lead to the root of the checkpoint of {target.size} entries {place}")
    if target.row:
        if frontier.to_bytes() != bytes(target.row.frontier):
            raise Fault(f"the frontier of the checkpoint of {target.size} entries is damaged")
        tally.checkpoints += 1


def _checked_leaf_hashes(extent: Extent, tally: Tally) -> Iterator[list[bytes]]:
    """The leaf hashes in order, page by page, each after its entry was compared with its commitment."""
    with connection.chunked_cursor() as leaf_cursor, connection.chunked_cursor() as entry_cursor:
        leaf_cursor.execute(
            "SELECT index, uuid_send(entry_id) || commitment || coalesce(uuid_send(key_id), '') FROM audit_leaf"
            " WHERE index < %s ORDER BY index",
            [extent.size],
        )
        entry_cursor.execute(
            f"SELECT uuid_send(id), {content_sql()} FROM audit_entry WHERE transaction < %s ORDER BY transaction, id",  # noqa: S608 - constants alone
            [str(extent.watermark)],
        )
        while True:
            leaves = [_leaf_row(*row) for row in leaf_cursor.fetchmany(_ROWS)]
            entries = [EntryRow(bytes(entry_id), content) for entry_id, content in entry_cursor.fetchmany(_ROWS)]
            if not leaves and not entries and tally.entries == extent.size:
                return
            hashes, fault = _check_page(leaves, entries, extent, tally)
            yield hashes
            if fault:
                raise fault


def _leaf_row(place: int, packed: memoryview) -> LeafRow:
    """One packed column instead of three: unpacking here is cheaper than fetching three."""
    data = bytes(packed)
    return LeafRow(place, data[:16], data[16:48], data[48:] or None)


def _check_page(leaves: Sequence[LeafRow], entries: Sequence[EntryRow], extent: Extent, tally: Tally) -> tuple[list[bytes], Fault | None]:
    """Leaf hashes up to the first fault on this page, and the fault."""
    keys, destroyed = _keys_of(leaves)
    hashes: list[bytes] = []
    for leaf, entry in zip_longest(leaves, entries):
        if not leaf or not entry or leaf.entry_id != entry.id or leaf.place != tally.entries:
            return hashes, _misplaced(leaf, entry, tally.entries, extent)
        if key := keys.get(leaf.key_id):
            if commitment(entry.content, key) != leaf.commitment:
                return hashes, _fault("was changed", leaf)
        elif leaf.key_id in destroyed:
            tally.erased += 1
        else:
            return hashes, _fault("cannot be verified: its key is gone and no erasure destroyed it", leaf)
        hashes.append(leaf_hash(leaf_bytes(leaf.entry_id, leaf.key_id, leaf.commitment)))
        tally.entries += 1
    if not leaves and not entries:
        return hashes, Fault(f"leaf {tally.entries} and those after it are missing", index=tally.entries)
    return hashes, None


def _keys_of(leaves: Sequence[LeafRow]) -> tuple[dict[bytes | None, bytes], set[bytes]]:
    """The keys of these leaves by key id, the house key under None; and which of the others were destroyed."""
    wanted = {UUID(bytes=leaf.key_id) for leaf in {leaf.key_id: leaf for leaf in leaves if leaf.key_id}.values()}
    known = key_source().known_keys(wanted) if wanted else {}
    gone = wanted - known.keys()
    destroyed = key_source().destroyed_keys(gone) if gone else set()
    keys: dict[bytes | None, bytes] = {key_id.bytes: key for key_id, key in known.items()}
    keys[None] = house_key()
    return keys, {key_id.bytes for key_id in destroyed}


def _misplaced(leaf: LeafRow | None, entry: EntryRow | None, place: int, extent: Extent) -> Fault:
    """Name what is at a place where leaves and entries stop matching."""
    entry_id = UUID(bytes=entry.id) if entry else None
    if entry_id and not Leaf.objects.filter(entry_id=entry_id).exists():
        if (leaf is None and place < extent.size) or (leaf and leaf.place != place):
            return Fault(f"leaf {place} of entry {entry_id} is missing", entry_id=entry_id, index=place)
        return Fault(f"entry {entry_id} was inserted", entry_id=entry_id, index=place)
    if leaf is None or leaf.place != place:
        return Fault(f"leaf {place} is missing", entry_id=entry_id, index=place)
    if not Entry.objects.filter(id=UUID(bytes=leaf.entry_id)).exists():
        return _fault("was removed", leaf)
    return _fault("was moved", leaf)


def _fault(what: str, leaf: LeafRow) -> Fault:
    entry_id = UUID(bytes=leaf.entry_id)
    return Fault(f"entry {entry_id} at {leaf.place} {what}", entry_id=entry_id, index=leaf.place)
