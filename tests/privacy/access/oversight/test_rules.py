"""What is unusual raises an alert, once for each fact; what is usual raises none."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import NewEntry, Reference, record_many
from privacy.access.gate import unit_of_work
from privacy.access.oversight import rules
from privacy.access.oversight.models import OpeningWatch, Review
from privacy.access.oversight.watching import SETTLED_AFTER, watch_names, watch_uses
from privacy.alerts.actions import close_alert
from privacy.alerts.models import Alert, AlertKind
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from tests.accounts.people import make_customer, make_staff
from tests.privacy.access.oversight.looks import look, looks
from tests.privacy.vault.records import staff

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-2"), pytest.mark.promise("USE-3")]
OFFICER = staff(Role.PRIVACY_OFFICER)


@pytest.fixture(autouse=True)
def thresholds(settings):
    """Always working time, unless a test is about hours."""
    settings.OPENINGS_WORKING_HOURS = (0, 24)
    settings.OPENINGS_UNUSUAL_AT_LEAST = 4
    settings.OPENINGS_UNUSUAL_TIMES = 3
    settings.OPENINGS_USUAL_AFTER_DAYS = 3


@pytest.fixture
def agent():
    return staff(Role.SUPPORT)


def alerts(kind):
    return list(Alert.objects.filter(kind=kind).order_by("id"))


def close(alert):
    with unit_of_work():
        close_alert(by=OFFICER, alert=alert, outcome=Alert.Outcome.JUSTIFIED)


# Numbers


def days_of(number, by, days=(2, 3, 4)):
    for day in days:
        looks(number, by, ago=timedelta(days=day))


def test_several_times_the_usual_number_raises_an_alert(agent):
    days_of(2, agent)
    looks(7, agent)

    watch_uses()

    (alert,) = alerts(AlertKind.VOLUME)
    assert (alert.actor_id, alert.role, alert.count) == (agent.id, "support", 7)


def test_up_to_several_times_the_usual_number_is_no_alert(agent):
    days_of(2, agent)
    looks(6, agent)

    watch_uses()

    assert not alerts(AlertKind.VOLUME)


def test_what_the_role_usually_opens_is_no_alert_for_somebody_who_opened_little(agent):
    days_of(1, agent)
    for _ in range(4):
        days_of(5, staff(Role.SUPPORT))
    looks(10, agent)

    watch_uses()

    assert not alerts(AlertKind.VOLUME)


def test_the_same_person_many_times_counts_as_one(agent):
    subject = Subject.objects.create()
    for _ in range(9):
        look(agent, subject)

    watch_uses()

    assert not alerts(AlertKind.VOLUME)


def test_few_people_are_never_unusual(agent, settings):
    settings.OPENINGS_UNUSUAL_AT_LEAST = 8
    looks(7, agent)

    watch_uses()

    assert not alerts(AlertKind.VOLUME)


def test_a_days_number_raises_one_alert_also_when_it_was_closed(agent):
    looks(5, agent)
    watch_uses()
    close(alerts(AlertKind.VOLUME)[0])
    look(agent, ago=SETTLED_AFTER)
    OpeningWatch.objects.update(watched_until=timezone.now() - timedelta(hours=2))

    watch_uses()

    assert len(alerts(AlertKind.VOLUME)) == 1


# Hours

NIGHT = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)


@pytest.fixture
def by_day(settings):
    settings.OPENINGS_WORKING_HOURS = (7, 20)


def raise_hours(until):
    with unit_of_work():
        rules.raise_hours(rules.looks_between(until - timedelta(days=1), until), until)


def test_a_look_at_night_raises_an_alert(agent, by_day):
    look(agent, at=NIGHT)
    look(agent, at=NIGHT.replace(hour=12) - timedelta(days=1))

    raise_hours(NIGHT + timedelta(hours=1))

    (alert,) = alerts(AlertKind.HOURS)
    assert (alert.actor_id, alert.count) == (agent.id, 1)


@pytest.mark.parametrize("hour", [7, 12, 19])
def test_working_time_raises_none(agent, by_day, hour):
    look(agent, at=NIGHT.replace(hour=hour))

    raise_hours(NIGHT.replace(hour=23))

    assert not alerts(AlertKind.HOURS)


@pytest.mark.parametrize(("nights", "number"), [(2, 1), (3, 0)])
def test_an_hour_is_usual_once_somebody_worked_in_it_on_several_days(agent, by_day, nights, number):
    for night in range(nights):
        look(agent, at=NIGHT - timedelta(days=2 + night))
    look(agent, at=NIGHT)

    raise_hours(NIGHT + timedelta(hours=1))

    assert len(alerts(AlertKind.HOURS)) == number


def test_the_usual_hours_of_somebody_else_are_not_ones_own(agent, by_day):
    for night in range(5):
        look(staff(), at=NIGHT - timedelta(days=2 + night))
    look(agent, at=NIGHT)

    raise_hours(NIGHT + timedelta(hours=1))

    assert [alert.actor_id for alert in alerts(AlertKind.HOURS)] == [agent.id]


# Cases


def refuse(by, outcome="case_ended", case=None):
    case = case or Reference("orders.order", uuid7())
    with unit_of_work():
        record_many([NewEntry(event=Event.DATA_REFUSED, by=by, subject=uuid7(), purpose="order", case=case, outcome=outcome)])
    return case


def raise_ended_cases():
    now = timezone.now()
    with unit_of_work():
        rules.raise_ended_cases(now - timedelta(hours=1), now + timedelta(minutes=1))


def test_an_attempt_at_an_ended_case_raises_an_alert(agent):
    case = refuse(agent)
    refuse(agent, case=case)

    raise_ended_cases()

    (alert,) = alerts(AlertKind.ENDED_CASE)
    assert (alert.about, alert.actor_id, alert.role, alert.count) == (case, agent.id, "support", 2)


@pytest.mark.parametrize("attempt", [{"outcome": "case_not_yours"}, {"by": Actor.job("mail")}])
def test_other_refusals_and_jobs_raise_none(agent, attempt):
    refuse(**{"by": agent, **attempt})

    raise_ended_cases()

    assert not alerts(AlertKind.ENDED_CASE)


# Whose data


def test_a_colleagues_data_raises_an_alert_for_each_colleague(agent):
    colleague = Subject.objects.create(kind=Subject.Kind.STAFF)
    look(agent, colleague)
    look(agent, colleague)
    look(agent)

    watch_uses()

    (alert,) = alerts(AlertKind.COLLEAGUE)
    assert (alert.subject_id, alert.actor_id, alert.count) == (colleague.pk, agent.id, 2)


def test_ones_own_data_is_no_colleagues():
    own = Subject.objects.create(kind=Subject.Kind.STAFF)

    look(Actor(Role.SUPPORT, id=own.pk), own)
    watch_uses()

    assert not Alert.objects.exists()


@pytest.fixture
def member(policy):
    return make_staff(Role.SUPPORT).actor  # "Staff Member"


def customer(name, number):
    return make_customer(f"customer{number}@example.org", name=name).subject


def test_a_customer_with_ones_own_name_raises_an_alert(member):
    namesake = customer("  STAFF  member ", 1)
    look(member, namesake)
    look(member, customer("Staff Other", 2))

    watch_names()

    (alert,) = alerts(AlertKind.OWN_RECORD)
    assert (alert.subject_id, alert.actor_id) == (namesake.pk, member.id)


def test_comparing_names_is_logged_and_keeps_none_of_them(member, caplog):
    subject = customer("Marker Namely", 1)
    look(member, subject)

    watch_names()

    (entry,) = Entry.objects.filter(event=Event.DATA_OPENED, subject_id=subject.pk, actor_name="watch")
    assert (entry.purpose, entry.categories) == ("security", ["account"])
    assert "Namely" not in caplog.text


# Stretches of time


def test_each_look_is_judged_once(agent):
    colleague = Subject.objects.create(kind=Subject.Kind.STAFF)
    look(agent, colleague)
    watch_uses()
    close(alerts(AlertKind.COLLEAGUE)[0])

    watch_uses()

    assert len(alerts(AlertKind.COLLEAGUE)) == 1


def test_a_look_that_may_not_have_ended_yet_waits_for_the_next_run(agent):
    look(agent, Subject.objects.create(kind=Subject.Kind.STAFF), ago=timedelta(0))

    watch_uses()

    assert not Alert.objects.exists()
    assert OpeningWatch.objects.get(part="uses").watched_until < timezone.now() - SETTLED_AFTER + timedelta(seconds=5)


def test_a_run_that_fails_is_made_up_for(agent, monkeypatch):
    look(agent, Subject.objects.create(kind=Subject.Kind.STAFF))
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr("privacy.access.oversight.watching.raise_hours", lambda *args: 1 / 0)
        watch_uses()

    watch_uses()

    assert len(alerts(AlertKind.COLLEAGUE)) == 1


def test_each_emergency_gets_a_review(agent):
    emergency = look(agent, is_break_glass=True)
    look(agent)

    watch_uses()
    watch_uses()

    (review,) = Review.objects.all()
    assert (review.opening_id, review.cause) == (emergency.pk, Review.Cause.BREAK_GLASS)


def test_rules_take_the_same_number_of_queries_however_many_looked(agent, django_assert_max_num_queries):
    for _ in range(5):
        looks(3, staff())

    with django_assert_max_num_queries(30):
        watch_uses()
