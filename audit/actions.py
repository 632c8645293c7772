"""Keeps USE-3: what was recorded is bound into the signed tree in batches, and the whole log is verified."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, count
from struct import Struct
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit.checkpoints import (
    frontier_of,
    is_kept_here,
    newest_checkpoint,
    publish_checkpoint,
    row_seal,
    settle_outside,
    sign_checkpoint,
    signing_key_version,
)
from audit.commitments import NOBODY, CommitmentKey, KeysAtHand, key_source, leaf_hashes
from audit.errors import CheckpointBroken, TransactionsBehind
from audit.events import Event
from audit.models import Checkpoint, Verification
from audit.portions import Entries, entries_between, first_place, read_ahead, split
from audit.publishing import ask_places
from audit.queries import last_good, open_failures
from audit.record import By, Reference, record
from audit.tiles import (
    COPY_END,
    COPY_HEAD,
    FullTile,
    GrowingTiles,
    copy_tiles,
    fill_tiles,
    first_missing,
    growing_tiles,
    is_from_before_tiles,
)
from audit.tree import Frontier
from audit.verification import WHOLE, Fault, Progress, Tally, find_fault, of_month, since_last

NIGHTLY_AT_MOST = 50_000_000  # entries; a quarter of an hour where 60,000 a second are verified
SUNDAY = 7

_LOCK = 0x41554449_4C4F47  # "AUDI" "LOG": one integration at a time in this database

_ROW = Struct("!hiqi16si32si").pack
_ROW_WITH_KEY = Struct("!hiqi16si32si16s").pack


Kind = Verification.Kind


@dataclass(frozen=True, slots=True)
class Job:
    """The log's own jobs, as actors."""

    name: str
    role: str = "job"
    id: UUID | None = None


def integrate_entries(batch: int = 100_000) -> int:
    """Bind every finished entry into the tree; return how many there were.

    Works in transactions of about `batch` entries (never splitting the entries of one writing
    transaction), each of which adds its leaves and one signed checkpoint, or nothing. Writers
    are never waited for and never wait. After each commit the checkpoint goes outside the
    database. Raises LogRolledBack, PlaceSilent, TransactionsBehind and CheckpointBroken instead
    of signing something that contradicts, or could contradict, what was signed before.
    """
    total = 0
    newest = newest_checkpoint()
    size = newest.size if newest else 0
    _make_tiles_whole(size)
    if not is_kept_here():
        ask_places(newest)
    while integrated := _integrate_batch(batch):
        total += integrated
    return total


def _make_tiles_whole(size: int) -> None:
    """Make missing tiles anew; that they were missing is told before, and whatever hinders it. Raises CheckpointBroken."""
    missing = first_missing(size)
    if missing is None:
        return
    if not is_from_before_tiles():
        _tell_of_tiles(missing, f"the tiles from leaf {missing} on are missing, and are to be made anew from the leaves")
    try:
        fill_tiles(size)
    except CheckpointBroken as hindrance:
        _tell_of_tiles(missing, str(hindrance))
        raise


def _tell_of_tiles(place: int, finding: str) -> None:
    """As a verification that failed, so that the leaves from there on are verified anew; once, until one was good."""
    if open_failures(last_good()).filter(first_bad_index=place, finding=finding).exists():
        return
    held = Checkpoint.objects.filter(size__lte=place).order_by("-size").first()
    now, size = timezone.now(), held.size if held else 0
    tally = Tally(first=size, held=size)
    _keep_result(tally, Fault(finding, index=place), by=Job("audit.integrate"), kind=Kind.SINCE_LAST, started_at=now)


@transaction.atomic
def _integrate_batch(batch: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    newest = newest_checkpoint()
    settle_outside(newest)
    tree = _tree_to_grow(newest)
    start, low = tree.size, newest.watermark if newest else 0
    high = _finished_below(low)
    with closing(read_ahead(entries_between(first_place(low), high, batch))) as portions:
        leaves = NewLeaves(tree, portions)
        leaves.store()
    if tree.size == start:
        return 0
    note = _add_checkpoint(tree.frontier, high if tree.size - start < batch else leaves.end.transaction + 1)
    transaction.on_commit(lambda: publish_checkpoint(note))
    return tree.size - start


def _tree_to_grow(newest: Checkpoint | None) -> GrowingTiles:
    """The unfinished tiles as stored. Raises CheckpointBroken rather than let damaged ones be built upon."""
    frontier = frontier_of(newest)
    tree = growing_tiles(frontier.size)
    if tree.frontier.to_bytes() != frontier.to_bytes():
        raise CheckpointBroken(f"the newest leaves or tiles of the {frontier.size} are damaged")
    return tree


def _add_checkpoint(frontier: Frontier, watermark: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        signed_at = cursor.fetchone()[0]
    row = Checkpoint(
        size=frontier.size,
        root=frontier.root(),
        watermark=watermark,
        frontier=frontier.to_bytes(),
        note=sign_checkpoint(frontier.size, frontier.root()),
        signed_at=signed_at,
        key_version=signing_key_version(),
    )
    row.seal = row_seal(row)
    row.save(force_insert=True)
    return row.note


def _finished_below(low: int) -> int:
    """The oldest transaction that is still running: every one below has committed, with all its entries in sight, or will never.

    Ids and times cannot tell that, for an entry made early may commit late, after the job has passed its place.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        high = int(cursor.fetchone()[0])
    if high < low:
        raise TransactionsBehind(f"the log reaches to transaction {low}, the cluster to {high}")
    return high


class NewLeaves:
    """The leaves of entries, made while PostgreSQL reads them as one file: it stores some while the next are hashed."""

    def __init__(self, tree: GrowingTiles, portions: Iterable[Entries]) -> None:
        self._tree = tree
        self._portions = iter(portions)
        self._keys = KeysAtHand(_keys_of_people)
        self._tiles: list[FullTile] = []
        self.end = first_place(0)
        self._failure: BaseException | None = None
        self._parts = chain([COPY_HEAD], map(self._rows, self._portions), [COPY_END])

    def store(self) -> None:
        """Add the leaves and the tiles that become full. New keys are committed before the leaves that use them."""
        with connection.cursor() as cursor, connection.wrap_database_errors:
            try:
                cursor.copy_expert("COPY audit_leaf (index, entry_id, commitment, key_id) FROM STDIN WITH (FORMAT binary)", self)
            except Exception:
                if self._failure:  # the driver says only that the file could not be read
                    raise self._failure from None
                raise
        copy_tiles(self._tiles)

    def read(self, size: int) -> bytes:
        """The next rows, whatever the size: the driver takes what it gets."""
        try:
            return next(self._parts, b"")
        except BaseException as failure:
            self._failure = failure
            raise

    def _rows(self, entries: Entries) -> bytes:
        ids, subjects = split(entries.ids), split(entries.subjects)
        at_hand = self._keys.of(subjects)
        keys = [at_hand.get(subject, at_hand[NOBODY]) for subject in subjects]
        committed = [key.commit(content) for key, content in zip(keys, entries.contents, strict=True)]
        rows = [copy_row(*row) for row in zip(count(self._tree.size), ids, committed, keys)]
        self._tiles += self._tree.extend(leaf_hashes(ids, [key.id for key in keys], committed))
        self.end = entries.end
        return b"".join(rows)


def _keys_of_people(subject_ids: set[UUID]) -> Iterator[tuple[UUID, UUID, bytes]]:
    for subject, (key_id, key) in key_source().log_keys(subject_ids).items():
        yield subject, key_id, key


def copy_row(index: int, entry_id: bytes, committed: bytes, key: CommitmentKey) -> bytes:
    """A row of leaves in PostgreSQL's binary COPY format."""
    if key.id == NOBODY:
        return _ROW(4, 8, index, 16, entry_id, 32, committed, -1)
    return _ROW_WITH_KEY(4, 8, index, 16, entry_id, 32, committed, 16, key.id)


def verify_log(
    *, by: By = Job("audit.verify"), kind: Kind = Kind.FULL, month: date | None = None, progress: Progress | None = None
) -> Verification:
    """Verify the log and record the result.

    The whole log, what was added since the last checkpoint that held, or the stretch with the entries of `month` (any
    day of it, UTC). Recomputes every commitment and root and compares them with every signed checkpoint, in the
    database and outside it. Entries whose key an erasure destroyed keep their place and are counted as erased, those
    of a retired month as retired. `progress` is told (leaves verified, leaves in all) as it goes.
    """
    started_at = timezone.now()
    stretch = since_last() if kind == Kind.SINCE_LAST else of_month(month) if month else WHOLE
    tally, fault = find_fault(progress or (lambda done, total: None), stretch)
    return _keep_result(tally, fault, by=by, kind=kind, started_at=started_at)


@transaction.atomic
def _keep_result(tally: Tally, fault: Fault | None, *, by: By, kind: Kind, started_at: datetime) -> Verification:
    verification = Verification.objects.create(
        started_at=started_at,
        finished_at=timezone.now(),
        kind=kind,
        first_index=tally.first,
        held_size=tally.held,
        entries=tally.entries,
        erased=tally.erased,
        retired=tally.retired,
        checkpoints=tally.checkpoints,
        result=Verification.Result.FAILED if fault else Verification.Result.OK,
        first_bad_entry=fault.entry_id if fault else None,
        first_bad_index=fault.index if fault else None,
        finding=fault.finding if fault else "",
    )
    event = Event.LOG_FAILED if fault else Event.LOG_VERIFIED
    record(event, by=by, object=Reference.to(verification), outcome=verification.result)
    return verification


def verify_all() -> Verification | None:
    """Verify the whole log; a log of more than NIGHTLY_AT_MOST entries only on Sundays (UTC)."""
    newest = newest_checkpoint()
    if newest and newest.size > NIGHTLY_AT_MOST and timezone.now().isoweekday() != SUNDAY:
        return None
    return verify_log()
