"""Exceptions to the matrix: for some days, decided by two, never more than the purpose's own kinds of data."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from privacy.access import errors
from privacy.access.approvals.actions import propose
from privacy.access.approvals.errors import PlanImpossible
from privacy.access.approvals.models import Proposal
from privacy.access.gate import open_access, unit_of_work
from privacy.access.overrides.actions import end_override
from privacy.access.overrides.errors import OverrideOver, RoleMayNot
from privacy.access.overrides.models import MatrixOverride
from privacy.access.overrides.queries import categories_open_now, overrides_in_force
from privacy.access.registrations import MATRIX_OVERRIDE
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.matrix import categories_open_to
from privacy.policy.promises import evidence_of
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7
from tests.accounts.people import entries, make_staff
from tests.orders.factories import actor, count_queries
from tests.privacy.access.test_approvals import approve
from tests.privacy.rights.people import perform

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-3")]


@pytest.fixture
def asker(db):
    return make_staff(Role.ADMINISTRATOR, "asks@example.org", enrolled=False).actor


@pytest.fixture
def officer(db):
    return make_staff(Role.PRIVACY_OFFICER, "decides@example.org", enrolled=False).actor


def ask(by, **changes):
    asked = {"role": "fulfillment", "purpose": "returns", "categories": ["financial"], "days": 3} | changes
    with unit_of_work():
        return propose(by=by, kind=MATRIX_OVERRIDE, parameters=asked, why="the till is broken", id=uuid7())


def override(asker, officer, **changes):
    proposal = ask(asker, **changes)
    perform(approve(officer, proposal))
    connection.check_constraints()  # as the commit does
    return MatrixOverride.objects.get(proposal=proposal)


@pytest.fixture
def uncommitted(db):
    """What the commit would refuse, as it stands before."""
    before = transaction.savepoint()
    yield
    transaction.savepoint_rollback(before)


def written(state="performed", categories=("financial",)):
    """An exception as it was put into the tables by hand."""
    now = timezone.now()
    decision = (
        {} if state in ("proposed", "withdrawn", "expired") else {"decided_at": now, "decided_by": uuid7(), "decided_role": "security"}
    )
    proposal = Proposal.objects.create(
        kind=MATRIX_OVERRIDE,
        state=state,
        proposed_by=uuid7(),
        proposed_role="administrator",
        fingerprint="f",
        ended_at=None if state in Proposal.OPEN else now,
        **decision,
    )
    values = {"role": "fulfillment", "purpose": "returns", "categories": list(categories), "begins_at": now}
    return MatrixOverride.objects.create(proposal=proposal, ends_at=now + timedelta(days=3), **values)


def open_now(role=Role.FULFILLMENT, purpose=Purpose.RETURNS):
    with unit_of_work() as unit:
        return categories_open_now(unit, role, purpose)


def test_an_override_opens_more_for_its_days_and_ends_by_itself(asker, officer):
    before = open_now()
    made = override(asker, officer)

    assert open_now() == before | {Category.FINANCIAL}
    assert made.ends_at - made.begins_at == timedelta(days=3)
    assert entries("policy.matrix.overridden", outcome="fulfillment", actor_id=asker.id) == 1
    MatrixOverride.objects.update(ends_at=timezone.now())
    assert open_now() == before


def test_it_touches_no_other_role_and_no_other_purpose(asker, officer):
    override(asker, officer)

    for role in Role:
        for purpose in Purpose:
            if (role, purpose) != (Role.FULFILLMENT, Purpose.RETURNS):
                assert open_now(role, purpose) == categories_open_to(role, purpose)


def test_the_gate_obeys_it(asker, officer):
    clerk = actor(Role.FULFILLMENT)
    with pytest.raises(errors.RoleDenied), unit_of_work(), open_access(by=clerk, purpose=Purpose.PAYMENT, reason="the till"):
        pass
    override(asker, officer, purpose="payment")

    with unit_of_work(), open_access(by=clerk, purpose=Purpose.PAYMENT, reason="the till") as grant:
        assert grant.categories == {Category.FINANCIAL}


def test_it_never_opens_more_than_the_purpose_allows(uncommitted):
    before = open_now()
    written(categories=list(Category))

    assert before < open_now() <= PURPOSES[Purpose.RETURNS].categories


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "administrator"},
        {"role": "auditor"},
        {"role": "customer"},
        {"role": "seller"},
        {"role": "job"},
        {"categories": ["interaction"]},
        {"categories": ["purchase"]},
        {"categories": []},
        {"days": 15},
        {"days": 0},
        {"days": -1},
    ],
)
def test_what_no_exception_may_open_is_refused(asker, officer, changes):
    with pytest.raises(PlanImpossible):
        ask(asker, **changes)


def test_nothing_opens_before_somebody_else_decides(asker, officer):
    before = open_now()
    ask(asker)

    assert open_now() == before


def test_one_more_member_of_staff_changes_the_plan(asker, officer):
    proposal = ask(asker)
    run = approve(officer, proposal)
    make_staff(Role.FULFILLMENT, "new@example.org", enrolled=False)

    perform(run)

    proposal.refresh_from_db()
    assert (proposal.state, MatrixOverride.objects.count()) == ("proposed", 0)


def test_the_database_refuses_more_than_14_days(asker, officer):
    made = override(asker, officer)

    with pytest.raises(IntegrityError, match="override_lasts_some_days"), transaction.atomic():
        MatrixOverride.objects.filter(pk=made.pk).update(ends_at=made.begins_at + timedelta(days=15))


@pytest.mark.parametrize("state", sorted({*Proposal.State} - {Proposal.State.PERFORMED}))
def test_the_gate_obeys_none_that_nobody_decided(uncommitted, state):
    before = open_now()

    written(state)

    assert open_now() == before
    assert not overrides_in_force().exists()


def test_it_is_looked_up_once_a_unit_of_work_and_not_for_who_has_none(asker, officer):
    def look(role):
        with unit_of_work() as unit:
            for purpose in Purpose:
                categories_open_now(unit, role, purpose)

    assert count_queries(lambda: look(Role.CUSTOMER)) + 1 == count_queries(lambda: look(Role.SUPPORT))


def test_one_person_ends_it_early(asker, officer):
    made = override(asker, officer)
    with unit_of_work():
        end_override(by=officer, override=made)

    assert not overrides_in_force().exists()
    assert entries("policy.matrix.restored") == 1
    with pytest.raises(OverrideOver), unit_of_work():
        end_override(by=officer, override=made)


def test_other_roles_do_not_end_it(asker, officer):
    made = override(asker, officer)

    for by in (asker, Actor.job("trial"), actor(Role.SUPPORT)):
        with pytest.raises(RoleMayNot), unit_of_work():
            end_override(by=by, override=made)


def test_the_evidence_counts_it_and_breaks_without_a_decision(asker, officer, uncommitted):
    override(asker, officer)
    assert any("1 exception" in evidence.text and evidence.ok for evidence in evidence_of("PROTECT-3"))

    written("failed")

    assert any("2 exceptions" in evidence.text and evidence.ok is False for evidence in evidence_of("PROTECT-3"))
