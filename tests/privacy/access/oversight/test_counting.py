"""How many people a member of staff opens within an hour is counted, asked about, and ended."""

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.oversight.actions import close_openings, confirm_need, lift_closure
from privacy.access.oversight.counting import check_number
from privacy.access.oversight.errors import AlreadyDecided, HardLimit, NotOverseer, OwnLook, SoftLimit
from privacy.access.oversight.models import OpeningClosure, OpeningConfirmation
from privacy.alerts.models import Alert, AlertKind
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.identifiers import uuid7
from privacy.wall.context import entered
from privacy.wall.logins import Login
from tests.privacy.access.oversight.looks import look, looks
from tests.privacy.vault.records import Letter, any_case, new_customer, person, staff

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-3")]
JOB = Actor.job("tests")
OFFICER = staff(Role.PRIVACY_OFFICER)


@pytest.fixture(autouse=True)
def limits(settings):
    """Three people an hour without being asked, five at most."""
    settings.OPENINGS_AN_HOUR = {role.value: (3, 5) for role in STAFF_ROLES}


@pytest.fixture
def agent():
    return staff(Role.SUPPORT)


def check(by, *subject_ids):
    with unit_of_work():
        check_number(by, Purpose.ORDER, frozenset(subject_ids or [uuid7()]))


def entries(event):
    return Entry.objects.filter(event=event)


# The soft limit


def test_up_to_the_soft_limit_nobody_is_asked(agent):
    looks(2, agent)

    check(agent)


def test_past_the_soft_limit_the_member_of_staff_is_asked(agent):
    looks(3, agent)

    with pytest.raises(SoftLimit):
        check(agent)
    assert not OpeningClosure.objects.exists()


def test_whoever_was_opened_within_the_hour_is_not_counted_again(agent):
    before = looks(3, agent)

    check(agent, before[0].subject_id)


def test_several_people_at_once_are_counted_as_several(agent):
    looks(1, agent)

    check(agent, uuid7(), uuid7())
    with pytest.raises(SoftLimit):
        check(agent, uuid7(), uuid7(), uuid7())


@pytest.mark.parametrize("how", [{"ago": timedelta(minutes=61)}, {"role": Role.FRAUD}, {"actor_id": uuid7()}])
def test_looks_of_another_hour_role_or_person_do_not_count(agent, how):
    looks(5, agent, **how)

    check(agent)


def test_what_staff_see_of_themselves_does_not_count(agent):
    looks(3, agent)

    check(agent, agent.id)


@pytest.mark.parametrize("by", [JOB, Actor(Role.CUSTOMER, id=uuid7())])
def test_jobs_and_customers_are_not_counted(by):
    check(by, *(uuid7() for _ in range(50)))


def test_whoever_says_that_they_need_more_is_asked_again_after_as_many(agent):
    looks(3, agent)
    with unit_of_work():
        confirm_need(by=agent)

    check(agent)
    check(agent, uuid7(), uuid7())
    with pytest.raises(HardLimit):
        check(agent, uuid7(), uuid7(), uuid7())


def test_a_need_confirmed_an_hour_ago_is_asked_for_again(agent):
    OpeningConfirmation.objects.create(actor_id=agent.id, role=agent.role, confirmed_at=timezone.now() - timedelta(minutes=61))
    looks(3, agent)

    with pytest.raises(SoftLimit):
        check(agent)


def test_looks_after_the_confirmation_are_counted_anew(agent, settings):
    settings.OPENINGS_AN_HOUR = {"support": (3, 50)}
    OpeningConfirmation.objects.create(actor_id=agent.id, role=agent.role, confirmed_at=timezone.now() - timedelta(minutes=30))
    looks(3, agent, ago=timedelta(minutes=40))
    looks(3, agent, ago=timedelta(minutes=20))

    with pytest.raises(SoftLimit):
        check(agent)


def test_confirm_need_writes_one_event(agent):
    with unit_of_work():
        confirmation = confirm_need(by=agent)

    assert entries(Event.OPENINGS_CONFIRMED).filter(object_id=confirmation.pk, actor_id=agent.id).count() == 1


@pytest.mark.parametrize("by", [JOB, Actor(Role.CUSTOMER, id=uuid7())])
def test_confirm_need_refuses_whoever_is_no_staff(by):
    with pytest.raises(NotOverseer), unit_of_work():
        confirm_need(by=by)


# The hard limit


def refuse(agent, *subject_ids):
    with pytest.raises(HardLimit):
        check(agent, *subject_ids)


def test_past_the_hard_limit_openings_are_closed_and_the_office_is_alerted(agent):
    looks(5, agent)

    refuse(agent)

    closure = OpeningClosure.objects.get(actor_id=agent.id)
    assert (closure.role, closure.people, closure.is_open) == (Role.SUPPORT, 6, True)
    alert = Alert.objects.get(kind=AlertKind.OPENINGS_CLOSED)
    assert (alert.actor_id, alert.about_id, alert.count) == (agent.id, closure.pk, 6)
    assert entries(Event.OPENINGS_CLOSED).filter(object_id=closure.pk).count() == 1


def test_a_confirmed_need_does_not_lift_the_hard_limit(agent):
    looks(5, agent)
    with unit_of_work():
        confirm_need(by=agent)

    refuse(agent)


def test_whoever_is_closed_opens_nobody_also_after_the_hour_and_for_those_seen_before(agent):
    seen = look(agent)
    with unit_of_work():
        close_openings(actor_id=agent.id, role=agent.role, people=6)
    Opening.objects.all().delete()

    refuse(agent)
    refuse(agent, seen.subject_id)


def test_closing_again_is_one_closure_one_event_and_one_alert(agent):
    for _ in range(2):
        with unit_of_work():
            closure = close_openings(actor_id=agent.id, role=agent.role, people=6)

    assert OpeningClosure.objects.count() == 1
    assert entries(Event.OPENINGS_CLOSED).filter(object_id=closure.pk).count() == 1
    assert Alert.objects.get(kind=AlertKind.OPENINGS_CLOSED).count == 6


@pytest.mark.django_db(transaction=True)
def test_an_auditor_is_asked_and_closed_too_and_lifts_nothing():
    auditor = staff(Role.AUDITOR)
    with entered(Login.AUDITOR):
        with unit_of_work():
            confirm_need(by=auditor)
            closure = close_openings(actor_id=auditor.id, role=auditor.role, people=6)

        for attempt in (lambda: OpeningClosure.objects.update(lifted_at=timezone.now(), lifted_by=uuid7()), closure.delete):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                attempt()

    assert OpeningClosure.objects.get().is_open


# Lifting


@pytest.fixture
def closure(agent):
    looks(5, agent)
    with unit_of_work():
        return close_openings(actor_id=agent.id, role=agent.role, people=6)


def lift(closure, by=OFFICER):
    with unit_of_work():
        return lift_closure(by=by, closure=closure)


def test_lift_closure_counts_anew_and_writes_one_event(agent, closure):
    lift(closure)

    check(agent, uuid7(), uuid7(), uuid7())
    closure.refresh_from_db()
    assert closure.lifted_by == OFFICER.id
    assert entries(Event.OPENINGS_LIFTED).filter(object_id=closure.pk, actor_id=OFFICER.id).count() == 1


@pytest.mark.parametrize("role", sorted(STAFF_ROLES - {Role.PRIVACY_OFFICER}))
def test_lift_closure_refuses_other_roles(closure, role):
    with pytest.raises(NotOverseer):
        lift(closure, by=staff(role))


def test_lift_closure_refuses_whoever_it_closes():
    with unit_of_work():
        own = close_openings(actor_id=OFFICER.id, role=OFFICER.role, people=6)

    with pytest.raises(OwnLook):
        lift(own)
    with pytest.raises(IntegrityError), transaction.atomic():
        OpeningClosure.objects.filter(pk=own.pk).update(lifted_at=timezone.now(), lifted_by=OFFICER.id)


def test_lift_closure_refuses_a_second_time(closure):
    lift(closure)

    with pytest.raises(AlreadyDecided):
        lift(closure)
    assert entries(Event.OPENINGS_LIFTED).count() == 1


def test_lift_closure_changes_nothing_if_the_event_cannot_be_written(closure):
    with pytest.raises(Exception, match="short token"):
        lift(closure, by=Actor(Role.PRIVACY_OFFICER, id=uuid7(), name="no token at all"))

    closure.refresh_from_db()
    assert closure.is_open


# At the gate


@pytest.fixture
def letters(policy):
    with unit_of_work():
        people = [new_customer() for _ in range(7)]
        for subject in people:
            with open_access(by=JOB, purpose=Purpose.ORDER, subject=subject, writes=Event.DATA_COLLECTED):
                Letter.objects.create(subject=subject, name="Ada")
    return list(Letter.objects.all())


def open_letters(by, letters):
    with unit_of_work(), open_access(by=by, purpose=Purpose.ORDER, reason="list", case=any_case()) as grant:
        grant.load(letters)
        return [grant.open(letter.name) for letter in letters]


def test_the_gate_refuses_and_records_the_next_person(agent, letters):
    for letter in letters[:3]:
        assert open_letters(agent, [letter]) == ["Ada"]

    with pytest.raises(SoftLimit):
        open_letters(agent, [letters[3]])

    (refused,) = entries(Event.DATA_REFUSED)
    assert (refused.outcome, refused.subject_id) == ("soft_limit", letters[3].subject_id)
    assert open_letters(agent, [letters[0]]) == ["Ada"]


def test_a_list_counts_each_of_its_people_and_opens_none_past_the_limit(agent, letters):
    with pytest.raises(HardLimit):
        open_letters(agent, letters)

    assert not Opening.objects.exists()
    assert OpeningClosure.objects.filter(actor_id=agent.id, people=7).exists()


def test_a_list_is_counted_in_a_constant_number_of_queries(agent, letters, django_assert_max_num_queries):
    with unit_of_work(), django_assert_max_num_queries(4):
        check_number(agent, Purpose.ORDER, frozenset(letter.subject_id for letter in letters[:3]))


def test_writing_is_not_counted(agent, letters):
    for letter in letters[:4]:
        with (
            unit_of_work(),
            open_access(
                by=agent, purpose=Purpose.ORDER, subject=letter.subject, reason="call", case=any_case(), writes=Event.DATA_COLLECTED
            ),
        ):
            Letter.objects.create(subject=letter.subject, name="Ada")

    assert Letter.objects.count() == len(letters) + 4


def test_each_person_is_asked_about_once_a_grant(agent, letters, monkeypatch):
    asked = []
    monkeypatch.setattr("privacy.access.gate._look_checks", [lambda actor, purpose, subject_ids: asked.extend(subject_ids)])

    open_letters(agent, letters[:2])

    assert sorted(asked) == sorted(letter.subject_id for letter in letters[:2])


def test_one_look_after_the_other_in_one_unit_is_counted(agent, letters):
    with pytest.raises(SoftLimit), unit_of_work():
        for letter in letters[:4]:
            with open_access(by=agent, purpose=Purpose.ORDER, reason="call", case=any_case()) as grant:
                grant.open(letter.name)


def test_a_person_opens_their_own_however_often_staff_looked(agent, letters):
    subject = letters[0].subject

    with unit_of_work(), open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject) as grant:
        assert grant.open(letters[0].name) == "Ada"


@pytest.mark.django_db(transaction=True)
def test_openings_at_the_same_moment_do_not_slip_past_the_limit(policy, agent, letters):
    barrier, opened = Barrier(len(letters)), []

    def attempt(letter):
        barrier.wait()
        try:
            with suppress(AccessDenied):
                opened.extend(open_letters(agent, [letter]))
        finally:
            connection.close()

    threads = [Thread(target=attempt, args=[letter]) for letter in letters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 3
    assert Opening.objects.values("subject_id").distinct().count() == 3
