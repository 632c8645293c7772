"""Holds: placed under a law until a day, released earlier by two people alone."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.errors import NotRecordable
from orders.lifecycle.models import OrderAddress
from privacy.access.approvals.actions import propose
from privacy.access.approvals.errors import PlanImpossible
from privacy.access.approvals.errors import RoleMayNot as MayNotAsk
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor, Role
from privacy.retention.actions import purge_expired, start_purge
from privacy.retention.errors import HoldNotPossible, RoleMayNot
from privacy.retention.holds import place_hold, plan_release
from privacy.retention.models import Hold
from privacy.retention.registrations import HOLD_RELEASE
from privacy.rights.erasure import blockers_of
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from tests.accounts.people import entries, make_staff
from tests.orders.conftest import partners  # noqa: F401  the agreements that an order needs
from tests.privacy.access.test_approvals import approve
from tests.privacy.rights.people import JOB, close_orders, full_person, perform

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-8")]
LONG_AGO = timedelta(days=4000)


@pytest.fixture
def officer(db):
    return make_staff(Role.PRIVACY_OFFICER, "asks@example.org", enrolled=False).actor


@pytest.fixture
def second(db):
    return make_staff(Role.ADMINISTRATOR, "decides@example.org", enrolled=False).actor


@pytest.fixture
def person(partners):  # noqa: F811
    user = full_person()
    close_orders(user, LONG_AGO)
    return user


def place(by, subject, days=30):
    with unit_of_work():
        return place_hold(by=by, subject=subject, ground=Hold.Ground.CLAIMS, until=timezone.now() + timedelta(days=days))


def placed_until_now(subject):
    return Hold.objects.create(subject=subject, ground=Hold.Ground.CLAIMS, until=timezone.now(), placed_by=uuid7())


def purge():
    with unit_of_work():
        run = start_purge(by=JOB, at_once=False)
    purge_expired(by=JOB, run=run)


def ask_release(by, hold):
    with unit_of_work():
        return propose(by=by, kind=HOLD_RELEASE, parameters={"hold": str(hold.pk)}, why="the claim was settled", id=uuid7())


def test_a_hold_keeps_what_is_past_its_time(officer, person):
    place(officer, person.subject)

    purge()

    assert OrderAddress.objects.filter(subject=person.subject).exists()
    assert entries("retention.hold.placed", subject_id=person.subject_id) == 1


def test_a_hold_ends_by_itself(officer, person):
    placed_until_now(person.subject)

    purge()

    assert not OrderAddress.objects.filter(subject=person.subject).exists()
    assert blockers_of(person.subject_id) == []


def test_an_erasure_waits_for_it_and_says_until_when(officer, person):
    hold = place(officer, person.subject)

    blocker = blockers_of(person.subject_id)[-1]

    assert blocker.until == hold.until
    assert "17(3)(e)" in str(blocker.reason)


def test_a_hold_touches_nobody_else(officer, person):
    place(officer, Subject.objects.create())

    purge()

    assert not OrderAddress.objects.filter(subject=person.subject).exists()


def test_place_refuses(officer, second):
    subject, erased = Subject.objects.create(), Subject.objects.create(erased_at=timezone.now())

    with pytest.raises(RoleMayNot):
        place(second, subject)
    with pytest.raises(HoldNotPossible):
        place(officer, subject, days=-1)
    with pytest.raises(HoldNotPossible):
        place(officer, erased)
    with pytest.raises(NotRecordable):
        place(Actor(Role.PRIVACY_OFFICER, id=officer.id, name="no token at all"), subject)
    assert not Hold.objects.exists()


@pytest.mark.promise("PROTECT-3")
def test_two_people_release_it_early(officer, second, person):
    hold = place(officer, person.subject)
    proposal = ask_release(officer, hold)
    hold.refresh_from_db()
    assert hold.is_in_force

    perform(approve(second, proposal))

    hold.refresh_from_db()
    proposal.refresh_from_db()
    assert (hold.is_in_force, hold.release) == (False, proposal)
    assert entries("retention.hold.released", subject_id=person.subject_id, actor_id=officer.id) == 1
    rows = proposal.result["rows"]
    assert rows > 0
    purge()
    assert not OrderAddress.objects.filter(subject=person.subject).exists()


@pytest.mark.promise("PROTECT-3")
def test_the_database_refuses_a_release_without_a_decision(officer):
    hold = place(officer, Subject.objects.create())

    with pytest.raises(IntegrityError, match="hold_released_by_two_people"), transaction.atomic():
        Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now())


def test_the_plan_counts_what_loses_its_protection(officer, person):
    first, other = place(officer, person.subject), place(officer, person.subject)

    plan = plan_release({"hold": str(first.pk)})

    assert (plan.people, plan.facts["others"]) == (1, 1)
    assert plan.rows > 0
    assert other.is_in_force


def test_a_release_is_refused_for_what_is_over_and_to_other_roles(officer, second):
    with pytest.raises(MayNotAsk):
        ask_release(second, place(officer, Subject.objects.create()))

    with pytest.raises(PlanImpossible):
        ask_release(officer, placed_until_now(Subject.objects.create()))


def test_one_more_record_past_its_time_changes_the_plan(officer, second, person):
    proposal = ask_release(officer, place(officer, person.subject))
    run = approve(second, proposal)
    OrderAddress.objects.filter(subject=person.subject).delete()

    perform(run)

    proposal.refresh_from_db()
    assert proposal.state == "proposed"
    assert Hold.objects.get().is_in_force
