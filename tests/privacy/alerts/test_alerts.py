"""Something was noticed: somebody is told once, looks at it, and says what came of it."""

from threading import Barrier, Thread

import pytest
from django.core import mail as outbox
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import Reference
from privacy.access.gate import unit_of_work
from privacy.access.units import raise_alert_afterwards
from privacy.alerts.actions import close_alert, raise_alert
from privacy.alerts.errors import AlertClosed, NotTheOffice, OwnAlert
from privacy.alerts.kinds import WORDS, role_for, words_for
from privacy.alerts.models import Alert, AlertKind, AlertNotice
from privacy.alerts.queries import open_alerts
from privacy.jobs.actions import perform_job
from privacy.mail.actions import deliver_mail
from privacy.mail.models import OutboundMail
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.identifiers import uuid7
from privacy.wall.context import entered
from privacy.wall.logins import Login
from tests.accounts.people import make_staff
from tests.privacy.vault.records import staff

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-2")]
OFFICER = staff(Role.PRIVACY_OFFICER)


def raised(**how):
    with unit_of_work():
        return raise_alert(**{"kind": AlertKind.VOLUME, "actor_id": uuid7(), "role": Role.SUPPORT, **how})


def events(event, alert):
    return list(Entry.objects.filter(event=event, object_id=alert.pk))


# Raising


def test_raise_alert_keeps_ids_and_writes_one_event():
    about = Reference("orders.order", uuid7())
    subject_id = uuid7()

    alert = raised(about=about, subject_id=subject_id, count=7)

    assert (alert.about, alert.subject_id, alert.count, alert.role, alert.is_open) == (about, subject_id, 7, Role.SUPPORT, True)
    (entry,) = events(Event.ALERT_RAISED, alert)
    assert (entry.outcome, entry.subject_id, entry.case_id, entry.actor_name) == ("volume", subject_id, about.id, "watch")


def test_raise_alert_again_counts_up_and_queues_no_second_notice():
    first = raised(actor_id=OFFICER.id)
    second = raised(actor_id=OFFICER.id, count=3)

    assert first.pk == second.pk
    assert second.count == 4
    assert second.repeated_at > first.repeated_at
    assert AlertNotice.objects.filter(alert=first).count() == 1
    assert len(events(Event.ALERT_RAISED, first)) == 2


@pytest.mark.parametrize("other", ["kind", "about", "subject_id", "actor_id"])
def test_raise_alert_about_something_else_is_another_alert(other):
    fact = {"kind": AlertKind.VOLUME, "about": Reference("orders.order", uuid7()), "subject_id": uuid7(), "actor_id": uuid7()}
    another = {"kind": AlertKind.HOURS, "about": Reference("orders.order", uuid7()), "subject_id": None, "actor_id": None}

    first, second = raised(**fact), raised(**{**fact, other: another[other]})

    assert first.pk != second.pk


def test_raise_alert_after_the_first_was_closed_is_a_new_one():
    first = raised(actor_id=uuid7())
    close(first)

    assert raised(actor_id=first.actor_id).pk != first.pk


def test_raise_alert_changes_nothing_if_the_event_cannot_be_written():
    with pytest.raises(Exception, match="short token"), unit_of_work():
        raise_alert(kind="no token at all")

    assert not Alert.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_fact_raised_at_the_same_moment_is_one_alert():
    actor_id, barrier = uuid7(), Barrier(4)

    def attempt():
        barrier.wait()
        try:
            raised(actor_id=actor_id)
        finally:
            connection.close()

    threads = [Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [alert.count for alert in Alert.objects.filter(actor_id=actor_id)] == [4]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("login", [Login.GATE, Login.AUDITOR])
def test_whoever_only_reads_is_noticed_and_ends_no_alert(login):
    actor_id = uuid7()
    with entered(login):
        raised(actor_id=actor_id)
        alert = raised(actor_id=actor_id)

        for attempt in (lambda: Alert.objects.update(closed_at=timezone.now()), alert.notice.save, alert.delete):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                attempt()

    assert [(alert.count, alert.is_open) for alert in open_alerts()] == [(2, True)]


def test_an_alert_raised_afterwards_survives_the_rollback():
    actor_id = uuid7()

    with pytest.raises(RuntimeError), unit_of_work():
        raise_alert_afterwards(kind=AlertKind.VALUE_UNREADABLE, actor_id=actor_id)
        raise RuntimeError

    assert open_alerts().filter(actor_id=actor_id).count() == 1


# Telling the office


def tell(alert):
    notice = alert.notice
    perform_job(notice._meta.label_lower, notice.pk)
    for mail in OutboundMail.objects.filter(template="accounts-alert", object_id=alert.pk):
        deliver_mail(mail)


@pytest.fixture
def office():
    return {role: make_staff(role, f"{role.value}@example.org") for role in (Role.PRIVACY_OFFICER, Role.SECURITY, Role.SUPPORT)}


def told():
    return {message.to[0] for message in outbox.outbox if "alert" in message.subject}


@pytest.mark.parametrize(
    ("kind", "mailbox"),
    [(AlertKind.VOLUME, "privacy_officer@example.org"), (AlertKind.WALL_BREACHED, "security@example.org")],
)
def test_the_office_that_looks_after_the_kind_is_told(office, kind, mailbox):
    alert = raised(kind=kind)

    tell(alert)

    assert told() == {mailbox}


def test_the_mail_says_kind_and_place_and_names_nobody(office):
    alert = raised(subject_id=uuid7())

    tell(alert)

    (message,) = [message for message in outbox.outbox if "alert" in message.subject]
    assert str(alert.get_kind_display()) in message.body
    assert f"/admin/privacy/alert/{alert.pk}/change/" in message.body
    assert str(alert.actor_id) not in message.body
    assert str(alert.subject_id) not in message.body


def test_a_second_attempt_writes_no_second_mail(office):
    alert = raised()

    tell(alert)
    AlertNotice.objects.filter(alert=alert).update(state="queued")
    tell(alert)

    assert len([message for message in outbox.outbox if "alert" in message.subject]) == 1


def test_nobody_is_told_of_an_alert_about_themselves(office):
    alert = raised(actor_id=office[Role.PRIVACY_OFFICER].subject_id)

    tell(alert)

    assert told() == {"security@example.org"}


@pytest.mark.parametrize("missing", [{"is_active": False}, {"confirmed_at": None}])
def test_somebody_else_of_the_office_is_told_where_the_role_has_nobody(office, missing):
    officer = office[Role.PRIVACY_OFFICER]
    type(officer).objects.filter(pk=officer.pk).update(**missing)

    tell(raised())

    assert told() == {"security@example.org"}


def test_an_alert_that_was_closed_meanwhile_is_not_mailed(office):
    alert = raised()
    close(alert)

    tell(alert)

    assert told() == set()


# Closing


def close(alert, by=OFFICER, **how):
    with unit_of_work():
        return close_alert(by=by, alert=alert, **{"outcome": Alert.Outcome.JUSTIFIED, **how})


@pytest.mark.promise("RIGHTS-9")
@pytest.mark.parametrize("outcome", Alert.Outcome)
def test_close_alert_keeps_the_outcome_and_writes_one_event(outcome):
    alert = raised()

    close(alert, outcome=outcome, note=" asked them ")

    alert.refresh_from_db()
    assert (alert.outcome, alert.note, alert.closed_by, alert.is_open) == (outcome, "asked them", OFFICER.id, False)
    (entry,) = events(Event.ALERT_CLOSED, alert)
    assert (entry.outcome, entry.actor_id) == (outcome.value, OFFICER.id)


@pytest.mark.promise("RIGHTS-9")
@pytest.mark.parametrize("role", sorted(STAFF_ROLES - {Role.PRIVACY_OFFICER, Role.SECURITY}))
def test_close_alert_refuses_other_roles(role):
    alert = raised()

    with pytest.raises(NotTheOffice):
        close(alert, by=staff(role))

    assert not events(Event.ALERT_CLOSED, alert)


@pytest.mark.promise("RIGHTS-9")
@pytest.mark.parametrize("part", ["actor_id", "subject_id"])
def test_close_alert_refuses_whom_it_is_about(part):
    alert = raised(**{part: OFFICER.id})

    with pytest.raises(OwnAlert):
        close(alert)

    assert open_alerts().filter(pk=alert.pk).exists()


@pytest.mark.promise("RIGHTS-9")
def test_the_database_refuses_an_alert_closed_by_whom_it_is_about():
    alert = raised()

    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.filter(pk=alert.pk).update(closed_at=timezone.now(), closed_by=alert.actor_id, outcome="justified")


def test_close_alert_refuses_a_second_time():
    alert = raised()
    close(alert)

    with pytest.raises(AlertClosed):
        close(alert, outcome=Alert.Outcome.MISUSE)

    assert len(events(Event.ALERT_CLOSED, alert)) == 1


def test_close_alert_changes_nothing_if_the_event_cannot_be_written():
    alert = raised()
    nameless = Actor(Role.PRIVACY_OFFICER, id=uuid7(), name="no token at all")

    with pytest.raises(Exception, match="short token"):
        close(alert, by=nameless)

    assert open_alerts().filter(pk=alert.pk).exists()


# Words


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_says_what_it_means_and_what_to_do(kind):
    assert words_for(kind) is not None
    assert role_for(kind) in (Role.PRIVACY_OFFICER, Role.SECURITY)


def test_there_are_no_words_for_kinds_that_do_not_exist():
    assert set(WORDS) == set(AlertKind)
