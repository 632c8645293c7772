"""What an erasure takes, what it leaves and why, and what stands in its way (RIGHTS-3, RIGHTS-8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise

from privacy.declarations.categories import Category
from privacy.retention.walker import Holding, holdings, is_kept
from privacy.vault.models import Subject


@dataclass(frozen=True)
class Blocker:
    """Something open that an erasure waits for; ``reason`` is read by the person."""

    reason: str | Promise
    until: datetime | None = None


Blockers = Callable[[UUID], list[Blocker]]
RoomStep = Callable[[Subject], object]

_blockers: list[Blockers] = []
_steps: dict[str, RoomStep] = {}


def register_blocker(find: Blockers) -> None:
    """``find(subject_id)`` tells what of this person is still open (an order on its way, money that moves)."""
    if find not in _blockers:
        _blockers.append(find)


def register_step(name: str, act: RoomStep) -> None:
    """``act(subject)`` clears what a room holds outside personal records (sessions, links, indexes).

    Runs once in a unit of work of its own, after the gate has closed for the person and before the keys go.
    """
    _steps[name] = act


def blockers_of(subject_id: UUID) -> list[Blocker]:
    return [blocker for find in _blockers for blocker in find(subject_id)]


def room_steps() -> dict[str, RoomStep]:
    return dict(_steps)


@dataclass(frozen=True)
class Plan:
    """An erasure before it is taken: computed from the rows as they are now."""

    goes: list[Holding] = field(default_factory=list)
    stays: list[Holding] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)

    @property
    def values(self) -> dict[Category, int]:
        """How many values go, by category."""
        totals = {category: sum(holding.values.get(category, 0) for holding in self.goes) for category in Category}
        return {category: number for category, number in totals.items() if number}


def plan_erasure(subject: Subject | UUID) -> Plan:
    """What would go now, what would stay under which law, and what holds it up; in one query a model."""
    subject_id = subject.pk if isinstance(subject, Subject) else subject
    held = holdings(subject_id)
    return Plan(
        goes=[holding for holding in held if not is_kept(holding.model)],
        stays=[holding for holding in held if is_kept(holding.model)],
        blockers=blockers_of(subject_id),
    )
