"""One transaction a request or job step, after which refusals and alerts are written whatever became of it (USE-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.models import Entry
from audit.record import NewEntry, record_many
from privacy.access.errors import NoUnitOfWork
from privacy.alerts.actions import raise_alert
from privacy.declarations.categories import Category


@dataclass
class Unit:
    """What is going on in this unit of work; ``failed`` rolls it back though no exception passes through.

    ``afterwards`` is what is done when it has ended, in a transaction of its own. ``openings`` maps the id of each
    entry about an opened value to what writes it again. ``overrides`` are the exceptions to the matrix, once somebody
    has looked for them. ``read`` holds what watchers keep of the values that staff read in it.
    """

    failed: bool = False
    refusals: list[NewEntry] = field(default_factory=list)
    afterwards: list[Callable[[], object]] = field(default_factory=list)
    openings: dict[UUID, Callable[[], None]] = field(default_factory=dict)
    overrides: Mapping[tuple[str, str], frozenset[Category]] | None = None
    read: set[tuple[Any, ...]] = field(default_factory=set)
    stack: ExitStack = field(default_factory=ExitStack)


class _RollBack(Exception):
    """Ends a failed unit from within, so that its grants close without writing."""


_unit: ContextVar[Unit | None] = ContextVar("unit_of_work", default=None)


def current_unit() -> Unit:
    unit = _unit.get()
    if unit is None:
        raise NoUnitOfWork("open personal data inside unit_of_work()")
    return unit


def raise_alert_afterwards(**alert: Any) -> None:
    """As ``raise_alert``, when this unit of work has ended, and whatever became of it; now, where none goes on."""
    unit = _unit.get()
    if unit is None:
        raise_alert(**alert)
    else:
        unit.afterwards.append(partial(raise_alert, **alert))


@contextmanager
def unit_of_work() -> Iterator[Unit]:
    """All or nothing, refusals excepted. Nested units are savepoints of the outermost one.

    Grants opened for the whole unit close before it commits. Refusals are written in a transaction of their
    own after the rollback or commit, before the caller goes on: a refused attempt leaves a trace even
    though everything else it did is undone.
    """
    outer = _unit.get()
    if outer is not None:
        with transaction.atomic():
            yield outer
        return
    unit = Unit()
    token = _unit.set(unit)
    try:
        with transaction.atomic(durable=True):
            with unit.stack:
                yield unit
                if unit.failed:
                    raise _RollBack
            _write_lost_openings(unit)
    except _RollBack:
        pass
    finally:
        _unit.reset(token)
        _write_refusals(unit)
        _do_afterwards(unit)


def _write_lost_openings(unit: Unit) -> None:
    """No entry, no data: what a savepoint took back is entered again before anything of this unit leaves."""
    if unit.openings:
        kept = set(Entry.objects.filter(pk__in=unit.openings).values_list("pk", flat=True))
        for write_again in [again for id, again in unit.openings.items() if id not in kept]:
            write_again()


def _write_refusals(unit: Unit) -> None:
    if unit.refusals:
        with transaction.atomic():
            record_many(unit.refusals)


def _do_afterwards(unit: Unit) -> None:
    if unit.afterwards:
        with transaction.atomic():
            for step in unit.afterwards:
                step()
