"""Somebody is told when a person's data was changed around the program: once, and by ids alone."""

import pytest
from django.db import connection, transaction

from audit.events import Event
from audit.models import Entry
from audit.record import record
from orders.lifecycle.models import OrderAddress
from privacy.alerts.models import Alert, AlertKind
from privacy.alerts.tasks import watch_floor
from privacy.policy.roles import Actor
from tests.audit.test_security_log import listening
from tests.wall.people import make_person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-2")]


@pytest.fixture
def person(owner_connection):
    superuser = owner_connection()
    superuser.autocommit = True
    made = make_person(superuser)
    with superuser.cursor() as cursor:
        cursor.execute("DELETE FROM wall.unattributed")
    return made


def change(person):
    OrderAddress.objects.filter(subject_id=person.id).update(country="FR")


def test_a_change_in_a_shell_raises_one_alert(person):
    change(person)
    change(person)

    watch_floor()
    watch_floor()

    alert = Alert.objects.get()
    first = Entry.objects.filter(event=Event.DATA_CHANGED_UNATTRIBUTED, db_role="market_worker").order_by("id")[0]
    assert (alert.kind, alert.count) == (AlertKind.UNATTRIBUTED_CHANGE, 2)
    assert (alert.about.label, alert.about.id) == ("audit.entry", first.id)
    assert (first.subject_id, first.object_label, first.outcome) == (person.id, "orders.orderaddress", "update")


def test_a_change_in_a_shell_has_its_line_in_the_security_log(person):
    change(person)

    with listening() as lines:
        watch_floor()
        watch_floor()

    (line,) = lines.named("sensitive_update")
    (entry,) = Entry.objects.filter(event=Event.DATA_CHANGED_UNATTRIBUTED, db_role="market_worker")
    assert (line["entry"], line["level"]) == (str(entry.id), "WARN")
    assert line["event"] == f"sensitive_update:unknown/-,{person.id},orders.orderaddress/{entry.object_id}"


def test_each_database_role_has_an_alert(person, owner_connection):
    change(person)
    superuser = owner_connection()
    with superuser, superuser.cursor() as cursor:
        cursor.execute("DELETE FROM orders_orderaddress WHERE subject_id = %s", [str(person.id)])

    watch_floor()

    assert Alert.objects.filter(kind=AlertKind.UNATTRIBUTED_CHANGE).count() == 2


def test_a_change_that_the_program_recorded_raises_nothing(person):
    with transaction.atomic():
        change(person)
        record(Event.DATA_CORRECTED, by=Actor.job("tests"), subject=person.id)

    watch_floor()

    assert not Alert.objects.exists()


def test_what_was_taken_and_not_told_is_told_the_next_time(person, monkeypatch):
    change(person)
    monkeypatch.setattr("privacy.alerts.floor_watch.raise_alert", lambda **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        watch_floor()
    monkeypatch.undo()

    watch_floor()

    assert Alert.objects.get().kind == AlertKind.UNATTRIBUTED_CHANGE


def test_the_worker_alone_takes_what_is_to_be_told(person):
    change(person)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles"
            " WHERE has_table_privilege(oid, 'wall.unattributed', 'SELECT') AND NOT rolsuper AND rolcanlogin"
        )
        assert cursor.fetchone()[0] == ["market_worker"]
