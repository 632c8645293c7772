"""Ask for an act, decide about one that somebody else asked for, and do what was approved, once (COLLECT-5, PROTECT-3)."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import record
from privacy.access.approvals.errors import (
    NotPlain,
    OwnProposal,
    PlanChanged,
    PlanImpossible,
    RoleLost,
    RoleMayNot,
    TooLate,
    Unrecorded,
    WordsName,
)
from privacy.access.approvals.forms import WORDS_MAX, names_somebody
from privacy.access.approvals.kinds import Parameters, ProposalKind, fingerprint_of, has_role_now, kind_named, tell_staff
from privacy.access.approvals.models import LASTS, Proposal, ProposalRun
from privacy.access.units import unit_of_work
from privacy.policy.roles import Actor

CLERK = Actor.job("approvals")
State = Proposal.State

# As the log: an address, a name with a blank or a sentence do not fit in here.
_TOKEN = re.compile(r"[A-Za-z0-9_.:-]{0,80}")
LAPSED_AT_ONCE = 500


@transaction.atomic
def propose(*, by: Actor, kind: str, parameters: Parameters, why: str, id: UUID) -> Proposal:
    """Ask for an act of a registered kind; those who may approve it are told by mail.

    ``id`` is the id that the proposal gets: the same one again is the same proposal. ``parameters`` are ids, numbers
    and choices, or lists of them. Raises RoleMayNot, WordsName, PlanImpossible.
    """
    rule = kind_named(kind)
    if not rule.may_propose(by) or not has_role_now(by) or rule.is_about(by, parameters):
        raise RoleMayNot
    _refuse_words(why)
    _refuse_unplain(parameters)
    rule.describe(parameters)
    values = {"kind": kind, "parameters": parameters, "why": why.strip(), "proposed_by": by.id, "proposed_role": by.role}
    proposal, is_new = Proposal.objects.get_or_create(pk=id, defaults=values)
    if not proposal.is_from(by.id):
        raise RoleMayNot
    if is_new:
        record(Event.PROPOSAL_MADE, by=by, object=proposal, outcome=kind)
        tell_staff(proposal)
    return proposal


@transaction.atomic
def approve_proposal(*, by: Actor, proposal: Proposal, seen: str) -> None:
    """Have it done by a job. ``seen`` is the fingerprint of the plan that was shown.

    Raises TooLate, RoleMayNot, OwnProposal, PlanChanged, PlanImpossible.
    """
    locked, kind = _held(by, proposal)
    if fingerprint_of(locked.kind, locked.parameters, kind.describe(locked.parameters)) != seen:
        raise PlanChanged
    _decide(by, locked, State.APPROVED, fingerprint=seen)
    record(Event.PROPOSAL_APPROVED, by=by, object=locked, outcome=locked.kind)
    ProposalRun(proposal=locked).enqueue()


@transaction.atomic
def refuse_proposal(*, by: Actor, proposal: Proposal, answer: str) -> None:
    """End it undone; ``answer`` tells whoever asked. Raises TooLate, RoleMayNot, OwnProposal, WordsName."""
    _refuse_words(answer)
    locked, _kind = _held(by, proposal)
    _decide(by, locked, State.REFUSED, answer=answer.strip(), ended_at=timezone.now())
    record(Event.PROPOSAL_REFUSED, by=by, object=locked, outcome=locked.kind)
    tell_staff(locked)


@transaction.atomic
def withdraw_proposal(*, by: Actor, proposal: Proposal) -> None:
    """Take back what was asked for, before anybody has decided. Raises RoleMayNot for everybody else, TooLate."""
    locked = _locked(proposal)
    if not locked.is_from(by.id):
        raise RoleMayNot
    if not locked.is_waiting:
        raise TooLate
    _change(locked, state=State.WITHDRAWN, ended_at=timezone.now())
    record(Event.PROPOSAL_WITHDRAWN, by=by, object=locked, outcome=locked.kind)


def perform_proposal(*, proposal: Proposal) -> None:
    """Do an approved act, with its end and its log entry, or nothing of it.

    The plan is computed once more under the lock. Where it differs from what was approved, the proposal waits for
    a second person again; where it is no longer possible, a role was lost since, or the approval is old, it ends as failed.
    """
    with unit_of_work():
        locked = _locked(proposal)
        if locked.state != State.APPROVED:
            return
        try:
            _refuse_unapproved(locked)
        except PlanChanged:
            _return(locked)
        except (PlanImpossible, RoleLost, TooLate, Unrecorded) as reason:
            _end(locked, State.FAILED, failure=reason.code)
        else:
            result = kind_named(locked.kind).perform(locked)
            _end(locked, State.PERFORMED, result=dict(result))


def give_up_proposal(*, proposal: Proposal) -> None:
    """After the last attempt: both people can see that it was not done."""
    with unit_of_work():
        locked = _locked(proposal)
        if locked.state == State.APPROVED:
            _end(locked, State.FAILED, failure="error")


@transaction.atomic
def expire_proposals() -> int:
    """End those that nobody decided in time; returns how many. Idempotent."""
    over = Proposal.objects.filter(state=State.PROPOSED, expires_at__lte=timezone.now())
    lapsed = list(over.select_for_update(skip_locked=True).order_by("pk")[:LAPSED_AT_ONCE])
    for proposal in lapsed:
        _change(proposal, state=State.EXPIRED, ended_at=timezone.now())
        record(Event.PROPOSAL_EXPIRED, by=CLERK, object=proposal, outcome=proposal.kind)
        tell_staff(proposal)
    return len(lapsed)


def _held(by: Actor, proposal: Proposal) -> tuple[Proposal, ProposalKind]:
    """The proposal as it is now, locked, for somebody who may decide about it."""
    locked = _locked(proposal)
    kind = kind_named(locked.kind)
    if locked.is_from(by.id):
        raise OwnProposal
    if not kind.may_decide(by, locked) or not has_role_now(by):
        raise RoleMayNot
    if not locked.is_waiting:
        raise TooLate
    return locked, kind


def _refuse_unapproved(proposal: Proposal) -> None:
    """Between approval and performance everything may have changed, and a worker may have been away for weeks."""
    kind = kind_named(proposal.kind)
    approver = proposal.approver
    if proposal.decided_at is None or timezone.now() > proposal.decided_at + LASTS:
        raise TooLate
    if not _is_recorded(proposal):
        raise Unrecorded
    if approver is None or not kind.may_decide(approver, proposal) or not has_role_now(approver):
        raise RoleLost
    if not kind.may_propose(proposal.proposer) or not has_role_now(proposal.proposer):
        raise RoleLost
    if fingerprint_of(proposal.kind, proposal.parameters, kind.describe(proposal.parameters)) != proposal.fingerprint:
        raise PlanChanged


def _is_recorded(proposal: Proposal) -> bool:
    """Whether the log, to which rows are added alone, says so too: one login of the database serves all staff."""
    said = Entry.objects.filter(object_label=proposal._meta.label_lower, object_id=proposal.pk)
    asked = said.filter(event=Event.PROPOSAL_MADE, actor_id=proposal.proposed_by, actor_role=proposal.proposed_role)
    approved = said.filter(event=Event.PROPOSAL_APPROVED, actor_id=proposal.decided_by, actor_role=proposal.decided_role)
    return asked.exists() and approved.exists()


def _return(proposal: Proposal) -> None:
    """Back to the second person, who reads the plan as it is now; with the time it had."""
    undecided: dict[str, Any] = {"decided_at": None, "decided_by": None, "decided_role": "", "fingerprint": ""}
    _change(proposal, state=State.PROPOSED, returns=proposal.returns + 1, **undecided)
    record(Event.PROPOSAL_RETURNED, by=CLERK, object=proposal, outcome=PlanChanged.code)
    tell_staff(proposal)


def _end(proposal: Proposal, state: Proposal.State, **values: Any) -> None:
    _change(proposal, state=state, ended_at=timezone.now(), **values)
    event = Event.PROPOSAL_PERFORMED if state == State.PERFORMED else Event.PROPOSAL_FAILED
    record(event, by=CLERK, object=proposal, outcome=proposal.failure or proposal.kind)
    tell_staff(proposal)


def _decide(by: Actor, proposal: Proposal, state: Proposal.State, **values: Any) -> None:
    _change(proposal, state=state, decided_at=timezone.now(), decided_by=by.id, decided_role=by.role, **values)


def _change(proposal: Proposal, **values: Any) -> None:
    for name, value in values.items():
        setattr(proposal, name, value)
    proposal.save(update_fields=list(values))


def _locked(proposal: Proposal) -> Proposal:
    return Proposal.objects.select_for_update().get(pk=proposal.pk)


def _refuse_words(words: str) -> None:
    if not words.strip() or len(words) > WORDS_MAX or names_somebody(words):
        raise WordsName


def _refuse_unplain(parameters: Parameters) -> None:
    for name, value in parameters.items():
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, int) and not (isinstance(part, str) and _TOKEN.fullmatch(part)):
                raise NotPlain(name)
