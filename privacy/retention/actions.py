"""Start and carry out purges (CHANGE-3, CHANGE-4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from audit.events import Event
from audit.record import NewEntry, record, record_many
from privacy.access.gate import unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.retention.deletion import delete_rows, without_dependents
from privacy.retention.errors import RunIsOver
from privacy.retention.models import PurgeRun
from privacy.retention.registry import cleanups, invariants_now, under_no_hold
from privacy.retention.walker import (
    Model,
    categories_of,
    expired,
    fields_in,
    in_deletion_order,
)

BATCH = 5_000


@transaction.atomic
def start_purge(*, by: Actor, dry_run: bool = False, at_once: bool = True) -> PurgeRun:
    """Make a run and send it to a worker (unless ``at_once`` is False: the caller performs it).

    Only one real run is open at a time; asking again returns that one.
    """
    run = PurgeRun(dry_run=dry_run, invariants={} if dry_run else invariants_now())
    PurgeRun.objects.bulk_create([run], ignore_conflicts=True)
    if not PurgeRun.objects.filter(pk=run.pk).exists():
        return PurgeRun.objects.filter(dry_run=False).latest("queued_at")
    run = PurgeRun.objects.get(pk=run.pk)
    record(Event.PURGE_STARTED, by=by, object=run, outcome="rehearsal" if dry_run else "ok")
    if at_once:
        run.enqueue()
    return run


def purge_expired(*, by: Actor, run: PurgeRun) -> None:
    """Delete what has expired, model by model, in batches that each commit with their entries and numbers.

    Skips rows that somebody has locked and those under a hold; the next run takes them. A killed run goes on
    where it stopped, its numbers complete. A run after which the books differ ends as failed. Raises RunIsOver.
    """
    if not run.is_open:
        raise RunIsOver
    now = timezone.now()
    if run.dry_run:
        run.counts = {model._meta.label_lower: leaving(model, now).count() for model in in_deletion_order()}
        _finish(by, run, PurgeRun.Result.REHEARSED)
        return
    order = in_deletion_order()
    for done, model in enumerate(order):
        while _purge_batch(by, run, model, now):
            run.report(100 * done // len(order))
    for name, clean in cleanups().items():
        with unit_of_work():
            _count(run, name, clean())
    held = invariants_now() == run.invariants
    _finish(by, run, PurgeRun.Result.CLEAN if held else PurgeRun.Result.BROKEN)


def leaving(model: Model, now: datetime) -> models.QuerySet[Any]:
    """The expired records of a model that nothing holds and no other record needs."""
    return without_dependents(model, under_no_hold(model, expired(model, now)))


@transaction.atomic
def _purge_batch(by: Actor, run: PurgeRun, model: Model, now: datetime) -> int:
    rows = list(leaving(model, now).select_for_update(skip_locked=True, of=("self",)).only("id", "subject_id").order_by("pk")[:BATCH])
    if not rows:
        return 0
    record_many(_entries(by, run, model, rows))
    deleted = delete_rows(model, [row.pk for row in rows])
    _count(run, model._meta.label_lower, deleted)
    return deleted


def _entries(by: Actor, run: PurgeRun, model: Model, rows: Iterable[Any]) -> Iterable[NewEntry]:
    """One entry a person and category, however many rows of the model went."""
    for subject_id in sorted({row.subject_id for row in rows}):
        for category in categories_of(model):
            yield NewEntry(
                event=Event.DATA_PURGED,
                by=by,
                subject=subject_id,
                object=run,
                purpose=Purpose.RIGHTS.value,
                categories=[category.value],
                fields=[field.path for field in fields_in(model, category)],
            )


def _count(run: PurgeRun, name: str, number: int) -> None:
    if number:
        run.counts[name] = run.counts.get(name, 0) + number
        PurgeRun.objects.filter(pk=run.pk).update(counts=run.counts)


@transaction.atomic
def _finish(by: Actor, run: PurgeRun, result: PurgeRun.Result) -> None:
    run.result = result
    changes: dict[str, Any] = {"counts": run.counts, "result": result}
    if result == PurgeRun.Result.BROKEN:
        # Final at once: trying again could not mend the books, and would hide that they changed.
        changes |= {
            "state": PurgeRun.State.FAILED,
            "error": "InvariantBroken",
            "finished_at": timezone.now(),
        }
        run.state = PurgeRun.State.FAILED
    PurgeRun.objects.filter(pk=run.pk).update(**changes)
    record(Event.PURGE_COMPLETED, by=by, object=run, outcome=result.value)
