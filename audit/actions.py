"""Keeps USE-3: what was recorded is bound into the signed tree in batches, and the whole log is verified."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit.checkpoints import (
    frontier_of,
    publish_checkpoint,
    settle_outside,
    sign_checkpoint,
    signing_key_version,
)
from audit.commitments import commitment, content_sql, house_key, key_source, leaf_bytes
from audit.errors import TransactionsBehind
from audit.events import Event
from audit.models import Checkpoint, Verification
from audit.record import By, Reference, record
from audit.tree import leaf_hash
from audit.verification import find_fault

_LOCK = 0x41554449_4C4F47  # "AUDI" "LOG": one integration at a time in this database
_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Job:
    """The log's own jobs, as actors."""

    name: str
    role: str = "job"
    id: UUID | None = None


def integrate_entries(batch: int = 50_000) -> int:
    """Bind every finished entry into the tree; return how many there were.

    Works in transactions of about `batch` entries (never splitting the entries of one writing
    transaction), each of which adds its leaves and one signed checkpoint, or nothing. Writers
    are never waited for and never wait. After each commit the checkpoint goes outside the
    database. Raises LogRolledBack, TransactionsBehind and CheckpointBroken instead of signing
    something that contradicts what was signed before.
    """
    total = 0
    while integrated := _integrate_batch(batch):
        total += integrated
    return total


@transaction.atomic
def _integrate_batch(batch: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    newest = Checkpoint.objects.order_by("-size").first()
    settle_outside(newest)
    frontier = frontier_of(newest)
    low = newest.watermark if newest else 0
    high = _watermark(low, batch)
    start = frontier.size
    for rows in _finished_entries(low, high):
        leaves = list(_leaves(rows))
        _store_leaves(frontier.size, leaves)
        frontier.extend(leaf_hash(leaf_bytes(*leaf)) for leaf in leaves)
    if frontier.size == start:
        return 0
    note = sign_checkpoint(frontier.size, frontier.root())
    Checkpoint.objects.create(
        size=frontier.size,
        root=frontier.root(),
        watermark=high,
        frontier=frontier.to_bytes(),
        note=note,
        key_version=signing_key_version(),
    )
    transaction.on_commit(lambda: publish_checkpoint(note))
    return frontier.size - start


def _watermark(low: int, batch: int) -> int:
    """The transaction up to which, not including, entries are taken now.

    At most the oldest transaction that is still running: every one below has committed, with
    all its entries in sight, or will never. Ids and times cannot tell that, for an entry made
    early may commit late, after the job has passed its place.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        high = int(cursor.fetchone()[0])
        if high < low:
            raise TransactionsBehind(f"the log reaches to transaction {low}, the cluster to {high}")
        cursor.execute(
            "SELECT transaction::text FROM audit_entry WHERE transaction >= %s AND transaction < %s"
            " ORDER BY transaction, id OFFSET %s LIMIT 1",
            [str(low), str(high), batch],
        )
        row = cursor.fetchone()
        if row is None:
            return high
        cursor.execute("SELECT min(transaction)::text FROM audit_entry WHERE transaction >= %s", [str(low)])
        first = int(cursor.fetchone()[0])
    return max(int(row[0]), first + 1)


def _finished_entries(low: int, high: int) -> Iterator[Sequence[Any]]:
    """Rows of (bytes of the id, subject id, content) between two watermarks, in the order of the log."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT uuid_send(id), subject_id, {content_sql()} FROM audit_entry"  # noqa: S608 - constants alone
            " WHERE transaction >= %s AND transaction < %s ORDER BY transaction, id",
            [str(low), str(high)],
        )
        while rows := cursor.fetchmany(_ROWS):
            yield rows


def _leaves(rows: Sequence[Any]) -> Iterator[tuple[bytes, bytes | None, bytes]]:
    """(entry id, key id or None, commitment) of each row. New keys are committed before the leaves are."""
    keys = key_source().log_keys({subject for _, subject, _ in rows if subject is not None})
    house = house_key()
    for entry_id, subject, content in rows:
        key_id, key = keys.get(subject, (None, house))
        yield bytes(entry_id), key_id.bytes if key_id else None, commitment(content, key)


def _store_leaves(start: int, leaves: Iterable[tuple[bytes, bytes | None, bytes]]) -> None:
    lines = (
        f"{index}\t{entry_id.hex()}\t\\\\x{committed.hex()}\t{key_id.hex() if key_id else chr(92) + 'N'}\n"
        for index, (entry_id, key_id, committed) in enumerate(leaves, start)
    )
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert("COPY audit_leaf (index, entry_id, commitment, key_id) FROM STDIN", StringIO("".join(lines)))


def verify_log(*, by: By = Job("audit.verify"), progress: Callable[[int, int], None] | None = None) -> Verification:
    """Verify the whole log and record the result.

    Recomputes every commitment and root and compares them with every signed checkpoint, in the
    database and outside it. Entries whose key an erasure destroyed keep their place and are
    counted as erased. `progress` is told (leaves verified, leaves in all) as it goes.
    """
    started_at = timezone.now()
    tally, fault = find_fault(progress or (lambda done, total: None))
    with transaction.atomic():
        verification = Verification.objects.create(
            started_at=started_at,
            finished_at=timezone.now(),
            entries=tally.entries,
            erased=tally.erased,
            checkpoints=tally.checkpoints,
            result=Verification.Result.FAILED if fault else Verification.Result.OK,
            first_bad_entry=fault.entry_id if fault else None,
            first_bad_index=fault.index if fault else None,
            finding=fault.finding if fault else "",
        )
        event = Event.LOG_FAILED if fault else Event.LOG_VERIFIED
        record(event, by=by, object=Reference.to(verification), outcome=verification.result)
    return verification
