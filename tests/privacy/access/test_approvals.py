"""Acts that need two people: asked by one, decided by another, done once and exactly as it was read."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.record import record
from marketplace.accounts.models import User
from privacy.access.approvals import kinds
from privacy.access.approvals.actions import (
    approve_proposal,
    expire_proposals,
    propose,
    refuse_proposal,
    withdraw_proposal,
)
from privacy.access.approvals.errors import NotPlain, OwnProposal, PlanChanged, PlanImpossible, RoleMayNot, TooLate, UnknownKind, WordsName
from privacy.access.approvals.forms import names_somebody
from privacy.access.approvals.kinds import Plan, ProposalKind, fingerprint_of, register_proposal_kind
from privacy.access.approvals.models import Proposal, ProposalRun
from privacy.access.approvals.queries import waiting_for
from privacy.access.gate import unit_of_work
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7
from tests.accounts.people import entries, make_staff
from tests.privacy.rights.people import perform

pytestmark = [pytest.mark.django_db, pytest.mark.promise("COLLECT-5"), pytest.mark.promise("PROTECT-3")]


class World:
    """What the act of these tests changes, and what its plan depends on."""

    def __init__(self) -> None:
        self.done, self.rows, self.is_possible, self.breaks = [], 3, True, False

    def describe(self, parameters):
        if not self.is_possible:
            raise PlanImpossible
        return Plan(["It happens."], {"rows": self.rows}, people=1, rows=self.rows)

    def perform(self, proposal):
        if self.breaks:
            raise RuntimeError("broken")
        self.done.append((proposal.proposer, proposal.parameters))
        return {"rows": self.rows}


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    world = World()
    register_proposal_kind(
        ProposalKind(
            name="trial", label="Trial", does="It happens.", proposers=frozenset({Role.SUPPORT}),
            approvers=frozenset({Role.SUPPORT, Role.PRIVACY_OFFICER}), describe=world.describe, perform=world.perform,
            results={"rows": "rows"},
        )
    )  # fmt: skip
    return world


@pytest.fixture
def asker(db):
    return make_staff(Role.SUPPORT, "asks@example.org", enrolled=False).actor


@pytest.fixture
def officer(db):
    return make_staff(Role.PRIVACY_OFFICER, "decides@example.org", enrolled=False).actor


def ask(by, **changes):
    how = {"kind": "trial", "parameters": {"row": "7"}, "why": "asked for a good reason", "id": uuid7()}
    with unit_of_work():
        return propose(by=by, **(how | changes))


def seen(proposal):
    kind = kinds.kind_named(proposal.kind)
    return fingerprint_of(proposal.kind, proposal.parameters, kind.describe(proposal.parameters))


def approve(by, proposal, fingerprint=None):
    with unit_of_work():
        approve_proposal(by=by, proposal=proposal, seen=fingerprint or seen(proposal))
    proposal.refresh_from_db()
    return ProposalRun.objects.filter(proposal=proposal).latest("queued_at")


def done(by, proposal):
    perform(approve(by, proposal))
    proposal.refresh_from_db()
    return proposal


# Asking


def test_propose_waits_and_does_nothing(world, asker, officer):
    proposal = ask(asker)

    assert (proposal.state, proposal.proposed_by, world.done) == ("proposed", asker.id, [])
    assert timedelta(hours=71) < proposal.expires_at - timezone.now() <= timedelta(hours=72)
    assert entries("approvals.proposal.made") == 1
    assert list(waiting_for(officer)) == [proposal]
    assert not waiting_for(asker).exists()


def test_propose_mails_those_who_may_decide_and_nobody_else(world, asker, officer):
    colleague = make_staff(Role.SUPPORT, "other@example.org", enrolled=False).actor
    make_staff(Role.FINANCE, "finance@example.org", enrolled=False)

    proposal = ask(asker)

    told = OutboundMail.objects.filter(template="approvals-asked", object_id=proposal.pk)
    assert set(told.values_list("subject_id", flat=True)) == {officer.id, colleague.id}


def test_propose_twice_is_once(world, asker, officer):
    id = uuid7()

    assert ask(asker, id=id) == ask(asker, id=id)
    assert Proposal.objects.count() == entries("approvals.proposal.made") == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": "no-such-kind"}, UnknownKind),
        ({"why": "because of marker@example.org"}, WordsName),
        ({"why": "called from 030 123 4567"}, WordsName),
        ({"why": " "}, WordsName),
        ({"why": "x" * 301}, WordsName),
        ({"parameters": {"name": "Marker Namely"}}, NotPlain),
        ({"parameters": {"ids": ["marker@example.org"]}}, NotPlain),
        ({"parameters": {"nested": {"a": 1}}}, NotPlain),
    ],
)
def test_propose_refuses(world, asker, changes, error):
    with pytest.raises(error):
        ask(asker, **changes)

    assert not Proposal.objects.exists()


def test_propose_refuses_an_impossible_plan(world, asker):
    world.is_possible = False

    with pytest.raises(PlanImpossible):
        ask(asker)


def test_propose_refuses_other_roles_and_strangers(world, officer):
    for actor in (officer, Actor(Role.SUPPORT, id=uuid7()), Actor(Role.SUPPORT), Actor.job("trial")):
        with pytest.raises(RoleMayNot):
            ask(actor)


def test_propose_changes_nothing_when_it_cannot_be_recorded(world, asker):
    with pytest.raises(NotRecordable):
        ask(Actor(Role.SUPPORT, id=asker.id, name="no token at all"))

    assert not Proposal.objects.exists()


def test_somebody_elses_proposal_is_not_taken_over(world, asker):
    proposal = ask(asker)
    colleague = make_staff(Role.SUPPORT, "other@example.org", enrolled=False).actor

    with pytest.raises(RoleMayNot):
        ask(colleague, id=proposal.pk)


@pytest.mark.parametrize(
    ("words", "names"), [("order 4711 was late", False), ("a@b", True), ("0171-2345678", True), ("2 or 3 people", False)]
)
def test_words_that_may_name_somebody(words, names):
    assert names_somebody(words) is names


# Deciding


def test_approve_has_it_done_once_in_the_name_of_whoever_asked(world, asker, officer):
    proposal = ask(asker)

    run = approve(officer, proposal)
    assert (proposal.state, proposal.decided_by, proposal.decided_role) == ("approved", officer.id, "privacy_officer")
    assert world.done == []
    perform(run)
    ProposalRun.objects.update(state="queued")
    perform(run)

    proposal.refresh_from_db()
    assert world.done == [(asker, {"row": "7"})]
    assert (proposal.state, proposal.result) == ("performed", {"rows": 3})
    assert entries("approvals.proposal.approved") == entries("approvals.proposal.performed") == 1
    assert OutboundMail.objects.filter(template="approvals-ended", subject_id=asker.id).count() == 1


def test_nobody_approves_their_own_not_with_another_role_either(world, asker):
    proposal = ask(asker)

    for actor in (asker, Actor(Role.PRIVACY_OFFICER, id=asker.id)):
        with pytest.raises(OwnProposal):
            approve(actor, proposal)
        with pytest.raises(OwnProposal), unit_of_work():
            refuse_proposal(by=actor, proposal=proposal, answer="not now")
    proposal.refresh_from_db()
    assert proposal.state == "proposed"


def test_an_account_has_a_subject_of_its_own(asker):
    """A second account of the same person cannot have the same subject, and the same subject is the same person here."""
    account = User.objects.get(subject_id=asker.id)

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(subject=account.subject, role=Role.PRIVACY_OFFICER)


@pytest.mark.parametrize("changes", [{"decided_by": True}, {"decided_by": None, "decided_at": None, "decided_role": ""}])
@pytest.mark.parametrize("state", ["approved", "performed"])
def test_the_database_itself_refuses_one_person_alone(world, asker, officer, state, changes):
    proposal = ask(asker)
    how = {"decided_at": timezone.now(), "decided_role": "support", "fingerprint": "f", "state": state} | changes
    if how["decided_by"]:
        how["decided_by"] = asker.id
    if state == "performed":
        how["ended_at"] = timezone.now()

    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.filter(pk=proposal.pk).update(**how)


def test_the_database_refuses_an_approval_of_no_plan(world, asker, officer):
    proposal = ask(asker)

    with pytest.raises(IntegrityError, match="proposal_approved_for_one_plan"), transaction.atomic():
        Proposal.objects.filter(pk=proposal.pk).update(
            state="approved", decided_by=officer.id, decided_at=timezone.now(), decided_role="support"
        )


def test_approve_refuses_roles_that_may_not(world, asker):
    proposal = ask(asker)
    finance = make_staff(Role.FINANCE, "finance@example.org", enrolled=False).actor

    with pytest.raises(RoleMayNot):
        approve(finance, proposal)


def test_approve_refuses_whoever_has_lost_the_role(world, asker, officer):
    proposal = ask(asker)
    User.objects.filter(subject_id=officer.id).update(role=Role.FINANCE)

    with pytest.raises(RoleMayNot):
        approve(officer, proposal)


def test_approve_refuses_a_plan_that_has_changed(world, asker, officer):
    proposal = ask(asker)
    shown = seen(proposal)
    world.rows = 4

    with pytest.raises(PlanChanged):
        approve(officer, proposal, shown)


@pytest.mark.parametrize("end", ["withdrawn", "refused", "expired", "approved"])
def test_approve_refuses_what_is_over(world, asker, officer, end):
    proposal = ask(asker)
    with unit_of_work():
        if end == "withdrawn":
            withdraw_proposal(by=asker, proposal=proposal)
        elif end == "refused":
            refuse_proposal(by=officer, proposal=proposal, answer="not needed")
        elif end == "expired":
            Proposal.objects.update(expires_at=timezone.now())
        else:
            approve_proposal(by=officer, proposal=proposal, seen=seen(proposal))

    with pytest.raises(TooLate):
        approve(officer, proposal)


def test_approve_changes_nothing_when_it_cannot_be_recorded(world, asker, officer):
    proposal = ask(asker)

    with pytest.raises(NotRecordable):
        approve(Actor(Role.PRIVACY_OFFICER, id=officer.id, name="no token at all"), proposal)

    proposal.refresh_from_db()
    assert (proposal.state, ProposalRun.objects.count()) == ("proposed", 0)


def test_refuse_ends_it_with_words(world, asker, officer):
    proposal = ask(asker)
    with unit_of_work():
        refuse_proposal(by=officer, proposal=proposal, answer="not needed")

    proposal.refresh_from_db()
    assert (proposal.state, proposal.answer, proposal.decided_by) == ("refused", "not needed", officer.id)
    assert entries("approvals.proposal.refused") == 1
    assert OutboundMail.objects.filter(template="approvals-ended", subject_id=asker.id).count() == 1


def test_refuse_refuses_words_that_name_somebody(world, asker, officer):
    proposal = ask(asker)

    with pytest.raises(WordsName), unit_of_work():
        refuse_proposal(by=officer, proposal=proposal, answer="ask marker@example.org")


def test_only_whoever_asked_withdraws(world, asker, officer):
    proposal = ask(asker)
    with pytest.raises(RoleMayNot), unit_of_work():
        withdraw_proposal(by=officer, proposal=proposal)
    with unit_of_work():
        withdraw_proposal(by=asker, proposal=proposal)

    with pytest.raises(TooLate), unit_of_work():
        withdraw_proposal(by=asker, proposal=proposal)
    assert entries("approvals.proposal.withdrawn") == 1


def test_what_nobody_decides_lapses(world, asker, officer):
    proposal, waiting = ask(asker), ask(asker)
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=timezone.now())

    assert (expire_proposals(), expire_proposals()) == (1, 0)

    proposal.refresh_from_db()
    assert proposal.state == "expired"
    assert list(waiting_for(officer)) == [waiting]
    assert entries("approvals.proposal.expired") == 1


# Doing it


def test_a_plan_that_changes_after_the_approval_is_not_done_and_waits_again(world, asker, officer):
    proposal = ask(asker)
    run = approve(officer, proposal)
    world.rows = 4

    perform(run)

    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by, proposal.returns, world.done) == ("proposed", None, 1, [])
    assert entries("approvals.proposal.returned") == 1
    assert OutboundMail.objects.filter(template="approvals-asked", subject_id=officer.id).count() == 2
    assert done(officer, proposal).result == {"rows": 4}
    assert len(world.done) == 1


@pytest.mark.parametrize(
    "change",
    [{"parameters": {"row": "8"}}, {"kind": "other"}, {"why": "for another reason"}, {"proposed_by": uuid7()}, {"proposed_role": "job"}],
)
def test_what_was_asked_stays_as_the_second_person_read_it(world, asker, change):
    ask(asker)

    with pytest.raises(IntegrityError, match="stays as it was asked"), transaction.atomic():
        Proposal.objects.update(**change)


def test_what_has_ended_stays_ended(world, asker, officer):
    proposal = done(officer, ask(asker))

    for change in ({"state": "failed"}, {"decided_by": uuid7()}, {"result": {}}):
        with pytest.raises(IntegrityError, match="what ended"), transaction.atomic():
            Proposal.objects.filter(pk=proposal.pk).update(**change)


@pytest.mark.parametrize("said", [[], [Event.PROPOSAL_MADE], [Event.PROPOSAL_APPROVED]])
def test_a_proposal_that_the_log_does_not_know_of_is_not_done(world, asker, officer, said):
    """As somebody would write it who has the staff's login of the database and nobody's session."""
    before = ask(asker)
    values = {"decided_at": timezone.now(), "decided_by": officer.id, "decided_role": officer.role, "fingerprint": seen(before)}
    forged = Proposal.objects.create(
        kind=before.kind, parameters=before.parameters, proposed_by=asker.id, proposed_role=asker.role, state="approved", **values
    )
    for event in said:
        record(event, by=asker if event == Event.PROPOSAL_MADE else officer, object=forged)

    perform(ProposalRun.objects.create(proposal=forged))

    forged.refresh_from_db()
    assert (forged.state, forged.failure, world.done) == ("failed", "unrecorded", [])


@pytest.mark.parametrize("who", ["asker", "officer"])
def test_a_role_lost_after_the_approval_ends_it_undone(world, asker, officer, who):
    proposal = ask(asker)
    run = approve(officer, proposal)
    lost = asker if who == "asker" else officer
    User.objects.filter(subject_id=lost.id).update(is_active=False)

    perform(run)

    proposal.refresh_from_db()
    assert (proposal.state, proposal.failure, world.done) == ("failed", "role_lost", [])
    assert entries("approvals.proposal.failed") == 1


def test_an_old_approval_ends_undone(world, asker, officer):
    proposal = ask(asker)
    run = approve(officer, proposal)
    Proposal.objects.update(decided_at=timezone.now() - timedelta(hours=73))

    perform(run)

    proposal.refresh_from_db()
    assert (proposal.state, proposal.failure, world.done) == ("failed", "too_late", [])


def test_what_is_no_longer_possible_ends_undone(world, asker, officer):
    proposal = ask(asker)
    run = approve(officer, proposal)
    world.is_possible = False

    perform(run)

    proposal.refresh_from_db()
    assert (proposal.state, proposal.failure) == ("failed", "plan_impossible")


def test_an_act_that_breaks_is_tried_again_and_then_given_up(world, asker, officer):
    proposal = ask(asker)
    run = approve(officer, proposal)
    world.breaks = True

    for _ in range(ProposalRun.MAX_ATTEMPTS):
        perform(run)

    proposal.refresh_from_db()
    assert (run.state, proposal.state, proposal.failure, world.done) == ("failed", "failed", "error", [])


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_at_once_have_it_done_once(world, asker, officer):
    colleague = make_staff(Role.SUPPORT, "other@example.org", enrolled=False).actor
    proposal = ask(asker)
    barrier, outcomes = Barrier(4), []

    def press(actor):
        barrier.wait()
        try:
            with unit_of_work():
                approve_proposal(by=actor, proposal=proposal, seen=seen(proposal))
            outcomes.append("approved")
        except TooLate:
            outcomes.append("too late")
        finally:
            connections.close_all()

    threads = [Thread(target=press, args=[actor]) for actor in (officer, colleague, officer, colleague)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["approved", "too late", "too late", "too late"]
    assert ProposalRun.objects.count() == entries("approvals.proposal.approved") == 1
