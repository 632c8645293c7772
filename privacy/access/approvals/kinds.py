"""The acts that need two people, as rooms register them, and what the rooms above tell about the staff (PROTECT-3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils.functional import Promise

from privacy.access.approvals.errors import UnknownKind
from privacy.access.approvals.forms import ProposalForm
from privacy.access.approvals.models import Proposal
from privacy.policy.roles import Actor, Role

Text = Promise | str
Link = tuple[Text, str]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What an act would do, computed from the rows as they are now.

    ``lines`` are sentences for the second person. ``facts`` say the same in ids and numbers, in no language: when
    they change, the plan has changed.
    """

    lines: Sequence[Text]
    facts: Mapping[str, Any]
    people: int = 0
    rows: int = 0


@dataclass(frozen=True)
class ProposalKind:
    """One kind of act.

    ``describe(parameters)`` gives the plan and raises PlanImpossible. ``perform(proposal)`` does it in the caller's
    transaction, in the name of ``proposal.proposer``, and returns numbers by the names that ``results`` has words
    for. ``form`` asks for the parameters; a kind without one is proposed from a page of its own. Whom the act
    ``is_about`` neither asks for it nor decides. ``looks_at(parameters)`` are the pages, each with its words, on which
    those who ask and decide see what it is about; ``made(proposal)`` is the row that came of it.
    """

    name: str
    label: Text
    does: Text
    proposers: frozenset[Role]
    approvers: frozenset[Role]
    describe: Callable[[Parameters], Plan]
    perform: Callable[[Proposal], Mapping[str, int]]
    results: Mapping[str, Text]
    form: type[ProposalForm] | None = None
    looks_at: Callable[[Parameters], Sequence[Link]] = lambda parameters: ()
    made: Callable[[Proposal], Model | None] = lambda proposal: None
    is_offered: Callable[[], bool] = lambda: True
    is_about: Callable[[Actor, Parameters], bool] = lambda actor, parameters: False

    def may_propose(self, actor: Actor) -> bool:
        return actor.id is not None and actor.role in self.proposers and self.is_offered()

    def concerns(self, actor: Actor) -> bool:
        """Whether this role asks for such acts or decides about them."""
        return actor.role in self.proposers | self.approvers

    def may_decide(self, actor: Actor, proposal: Proposal) -> bool:
        return actor.id is not None and actor.role in self.approvers and not self._is_barred(actor, proposal)

    def _is_barred(self, actor: Actor, proposal: Proposal) -> bool:
        return proposal.is_from(actor.id) or self.is_about(actor, proposal.parameters)


Holders = Callable[[frozenset[Role]], Iterable[tuple[UUID, str]]]
Tell = Callable[[Proposal], None]

_kinds: dict[str, ProposalKind] = {}
_holders: list[Holders] = []
_tell: list[Tell] = []


def register_proposal_kind(kind: ProposalKind) -> None:
    _kinds[kind.name] = kind


def register_staff(holders: Holders) -> None:
    """``holders(roles)`` gives (subject id, role) of everybody who has one of these roles now, and can sign in."""
    if holders not in _holders:
        _holders.append(holders)


def register_proposal_mail(tell: Tell) -> None:
    """``tell(proposal)`` queues mail to those whom its state concerns; it is idempotent."""
    if tell not in _tell:
        _tell.append(tell)


def kind_named(name: str) -> ProposalKind:
    """Raises UnknownKind."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(name) from None


def proposal_kinds() -> list[ProposalKind]:
    """All of them, by name."""
    return [_kinds[name] for name in sorted(_kinds)]


def has_role_now(actor: Actor) -> bool:
    """Whether the site still knows this person in this role; False where nobody can tell."""
    return (actor.id, actor.role) in set(staff_with(frozenset({actor.role})))


def staff_with(roles: frozenset[Role]) -> list[tuple[UUID, str]]:
    """(subject id, role) of everybody who has one of these roles now."""
    return [found for holders in _holders for found in holders(roles)]


def number_with_role(role: Role) -> int:
    """How many members of staff have it now."""
    return len(staff_with(frozenset({role})))


def tell_staff(proposal: Proposal) -> None:
    for tell in _tell:
        tell(proposal)


def fingerprint_of(kind: str, parameters: Parameters, plan: Plan) -> str:
    """SHA-256 over what is asked for and what it would do now."""
    facts = {"kind": kind, "parameters": parameters, "facts": plan.facts, "people": plan.people, "rows": plan.rows}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
