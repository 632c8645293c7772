"""The case that an opening by staff is for: whose data it is about, whose work it is, and whether it is still open (PROTECT-3, USE-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.record import Reference
from privacy.access import errors
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role


@dataclass(frozen=True)
class CaseState:
    """One case as it is now, for the actor who asked.

    ``roles`` do such work at all, ``open_to`` are those of them whose part is open now; ``assigned_to`` narrows it to
    one member of staff. Nothing but ``purposes`` is opened for it. ``ended_at`` is when it ended for everybody.
    """

    subject_ids: frozenset[UUID]
    roles: frozenset[Role]
    open_to: frozenset[Role]
    assigned_to: UUID | None = None
    purposes: frozenset[Purpose] = frozenset(Purpose)
    ended_at: datetime | None = None

    def refusal_for(self, actor: Actor) -> type[errors.AccessDenied] | None:
        """Why it is not open to them, None when it is."""
        if actor.role not in self.roles or self.assigned_to not in (None, actor.id):
            return errors.CaseNotYours
        return None if actor.role in self.open_to else errors.CaseEnded


@dataclass(frozen=True)
class OpenCase:
    """A case that somebody may open a person's data for, in words."""

    reference: Reference
    words: str


Resolve = Callable[[UUID, Actor], CaseState | None]
Find = Callable[[Actor, UUID], Iterable[tuple[UUID, str]]]

_resolvers: dict[str, Resolve] = {}
_finders: dict[str, Find] = {}


def register_case(label: str, resolve: Resolve, find: Find | None = None) -> None:
    """A room's own cases, by the label of their model.

    ``resolve(case_id, actor)`` tells how a case stands, None for one that does not exist; ``find(actor, subject_id)``
    gives the newest ids of the person's cases that are open to the actor, in words, in a constant number of queries.
    """
    _resolvers[label] = resolve
    if find is not None:
        _finders[label] = find


def state_of(case: Reference, actor: Actor) -> CaseState | None:
    """How this case stands for the actor; None for what is no case."""
    resolve = _resolvers.get(case.label)
    return resolve(case.id, actor) if resolve else None


def open_cases(actor: Actor, subject_id: UUID) -> list[OpenCase]:
    """What this member of staff may open the person's data for now."""
    return [OpenCase(Reference(label, id), words) for label, find in _finders.items() for id, words in find(actor, subject_id)]


def require_case(by: Actor, purpose: Purpose, case: Reference | None, subject_ids: frozenset[UUID]) -> None:
    """Raises CaseMissing, CaseNotYours, CaseEnded unless the case is open, the actor's, and about all these people."""
    state = state_of(case, by) if case else None
    if state is None or not subject_ids <= state.subject_ids or purpose not in state.purposes:
        raise errors.CaseMissing
    if refusal := state.refusal_for(by):
        raise refusal
