import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from dateutil.relativedelta import relativedelta
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone
from psycopg2.errors import CheckViolation, InsufficientPrivilege

from audit import portions
from audit.actions import Job, integrate_entries, verify_log
from audit.events import Event
from audit.identifiers import first_uuid7, moment_of, uuid7
from audit.models import Entry, Leaf, Retirement, Verification
from audit.partitions import are_months_late, make_months, months, retire_months
from privacy.wall.context import entered
from privacy.wall.logins import Login
from tests.audit.conftest import ROW, assert_fault

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.promise("CHANGE-3")]

JOB = Job("tests")


def first_of_month(moment, ahead=0):
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + relativedelta(months=ahead)


def add(id):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROW, [id])


# Made ahead


@pytest.mark.django_db
def test_there_are_this_month_and_two_to_come():
    found = months()

    assert [month.start for month in found] == [first_of_month(timezone.now(), ahead) for ahead in range(3)]
    assert [month.end for month in found] == [first_of_month(timezone.now(), ahead) for ahead in range(1, 4)]
    assert not any(month.is_closed for month in found)
    assert not are_months_late()


@pytest.mark.django_db
def test_the_database_reads_an_id_as_the_program_does():
    moment = datetime(2031, 2, 28, 23, 59, 59, 999000, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT wall.first_id(%s), wall.moment_of(%s)", [moment, uuid7()])
        first, now = cursor.fetchone()

    assert first == first_uuid7(moment)
    assert moment_of(first) == moment
    assert abs(now - timezone.now()) < timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
def test_making_them_again_makes_nothing():
    assert make_months() == 0


@pytest.mark.django_db(transaction=True)
def test_a_month_that_is_missing_is_made(owner_connection):
    drop(owner_connection, months()[-1].name)

    assert make_months() == 1
    assert [month.start for month in months()] == [first_of_month(timezone.now(), ahead) for ahead in range(3)]


@pytest.mark.django_db(transaction=True)
def test_a_month_that_was_made_is_append_only(owner_connection):
    drop(owner_connection, months()[-1].name)
    make_months()

    database = owner_connection()
    with database.cursor() as cursor, pytest.raises(InsufficientPrivilege, match="append-only"):
        cursor.execute(f"DELETE FROM {months()[-1].name}")


@pytest.mark.django_db(transaction=True)
def test_no_writer_waits_while_a_month_is_made(owner_connection):
    drop(owner_connection, months()[-1].name)
    writer = owner_connection()
    with writer.cursor() as cursor:
        cursor.execute(ROW, [str(uuid7())])  # open, and holding its locks

        assert make_months() == 1
    writer.rollback()


@pytest.mark.django_db(transaction=True)
def test_two_who_make_months_at_once_make_each_once(owner_connection):
    for month in months()[1:]:
        drop(owner_connection, month.name)
    made = []

    def make():
        try:
            made.append(make_months())
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == [0, 0, 0, 2]


@pytest.mark.django_db(transaction=True)
def test_months_are_late_when_there_is_none_after_the_next(owner_connection):
    drop(owner_connection, months()[-1].name)

    assert are_months_late() == (first_of_month(timezone.now(), 2) < timezone.now() + timedelta(days=32))
    drop(owner_connection, months()[-1].name)
    assert are_months_late()


def drop(owner_connection, name):
    database = owner_connection()
    with database, database.cursor() as cursor:
        cursor.execute(f"DROP TABLE {name}")


# What fits in


@pytest.mark.django_db
@pytest.mark.parametrize("moment", [datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)])
def test_an_id_of_a_far_time_fits_nowhere(moment):
    with pytest.raises(IntegrityError, match="no partition"):
        add(UUID(int=first_uuid7(moment).int | 7 << 76))


@pytest.mark.django_db
def test_a_random_id_fits_nowhere():
    with pytest.raises(IntegrityError, match="no partition"):
        add(UUID("ffffffff-ffff-4fff-bfff-ffffffffffff"))


@pytest.mark.usefixtures("empty_log")
def test_a_month_that_is_over_takes_nothing_more(owner_connection, old_month):
    old_month(datetime(2025, 3, 1, tzinfo=UTC), entries=2)

    make_months()

    assert months()[0].is_closed
    with pytest.raises(IntegrityError) as error:
        add(UUID(int=first_uuid7(datetime(2025, 3, 5, tzinfo=UTC)).int | 1))
    assert isinstance(error.value.__cause__, CheckViolation)
    assert Entry.objects.count() == 2


# Leaving


@pytest.fixture
def kept(settings, empty_log):
    """Two old months and one of today's; everything is in the tree."""
    settings.AUDIT_KEPT_YEARS = 10


LONG_AGO, LESS_LONG_AGO = datetime(2014, 1, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC)


@pytest.mark.usefixtures("kept")
def test_a_month_past_the_lifetime_leaves_and_its_leaves_stay(old_month, write, keys):
    old = old_month(LONG_AGO)
    younger = old_month(LESS_LONG_AGO)
    write(2)
    make_months()

    (retirement,) = retire_months(by=JOB)

    assert (retirement.first_id, retirement.end_id) == (first_uuid7(LONG_AGO), first_uuid7(LONG_AGO + relativedelta(months=1)))
    assert (retirement.entries, retirement.first_index, retirement.last_index) == (3, 0, 2)
    assert not Entry.objects.filter(id__in=old).exists()
    assert Entry.objects.filter(id__in=younger).count() == 3
    assert list(Leaf.objects.filter(entry_id__in=old).order_by("index").values_list("index", flat=True)) == [0, 1, 2]
    assert months()[0].start == LESS_LONG_AGO


@pytest.mark.usefixtures("kept")
def test_a_month_that_leaves_writes_one_entry(old_month, write):
    old_month(LONG_AGO)
    make_months()

    (retirement,) = retire_months(by=JOB)

    entry = Entry.objects.get(event=Event.LOG_MONTH_RETIRED)
    assert (entry.object_label, entry.object_id, entry.actor_name) == ("audit.retirement", retirement.id, "tests")


@pytest.mark.usefixtures("kept")
def test_nothing_leaves_that_is_within_the_lifetime(old_month):
    old_month(LESS_LONG_AGO)
    make_months()

    assert retire_months(by=JOB) == []
    assert not Retirement.objects.exists()


@pytest.mark.usefixtures("kept")
def test_nothing_leaves_from_a_log_that_does_not_hold(old_month, write, keys, tamper):
    old_month(LONG_AGO)
    write(2)
    make_months()
    integrate_entries()
    tamper("UPDATE audit_entry SET outcome = 'changed' WHERE id = %s", Leaf.objects.get(index=4).entry_id)

    assert retire_months(by=JOB) == []
    assert months()[0].start == LONG_AGO


def retire_by_hand(name):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT wall.retire_log_month(%s, %s)", [uuid7(), name])


@pytest.mark.usefixtures("kept")
def test_a_shorter_lifetime_in_the_program_does_not_move_the_database(old_month, settings):
    old_month(LESS_LONG_AGO)
    make_months()
    settings.AUDIT_KEPT_YEARS = 1

    with pytest.raises(ProgrammingError, match="has not been kept for as long as the log is"):
        retire_months(by=JOB)


@pytest.mark.usefixtures("kept")
def test_the_database_refuses_a_month_with_entries_outside_the_tree(old_month):
    old_month(LONG_AGO)
    make_months()
    verify_log(by=JOB)

    with pytest.raises(Exception, match="has entries outside the tree"):
        retire_by_hand("audit_entry_2014_01")


@pytest.mark.usefixtures("kept")
def test_the_database_refuses_while_the_log_is_not_verified(old_month):
    old_month(LONG_AGO)
    make_months()
    integrate_entries()

    with pytest.raises(Exception, match="the log was not verified within a day"):
        retire_by_hand("audit_entry_2014_01")


@pytest.mark.usefixtures("kept")
def test_the_database_refuses_a_month_into_which_later_entries_were_smuggled(old_month, owner_connection, tamper):
    ids = old_month(LONG_AGO)
    tamper("UPDATE audit_entry SET at = now() WHERE id = %s", ids[0])
    make_months()
    integrate_entries()
    verify_log(by=JOB)

    with pytest.raises(Exception, match="has entries of a later time"):
        retire_by_hand("audit_entry_2014_01")


@pytest.mark.usefixtures("kept")
def test_when_the_entry_cannot_be_written_no_month_leaves(old_month, owner_connection):
    old_month(LONG_AGO)
    make_months()
    database = owner_connection()
    with database, database.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry ADD CONSTRAINT no_more CHECK (event <> 'audit.month.retired') NOT VALID")

    with pytest.raises(IntegrityError):
        retire_months(by=JOB)

    assert not Retirement.objects.exists()
    assert months()[0].start == LONG_AGO


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("login", [Login.GATE, Login.STAFF, Login.AUDITOR])
def test_no_login_of_the_site_makes_or_drops_a_month(login):
    with entered(login):
        for statement in ("SELECT wall.make_log_months()", "SELECT wall.retire_log_month(gen_random_uuid(), 'audit_entry_2014_01')"):
            with pytest.raises(ProgrammingError) as error, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
            assert isinstance(error.value.__cause__, InsufficientPrivilege)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_entry DETACH PARTITION {month}",
        "DROP TABLE {month}",
        "DROP TABLE audit_entry",
        "INSERT INTO audit_retirement (id, first_id, end_id, entries) VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 0)",
    ],
)
def test_the_worker_cannot_let_go_of_a_month_itself(statement):
    with pytest.raises(ProgrammingError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(month=months()[0].name))
    assert isinstance(error.value.__cause__, InsufficientPrivilege)


# What a verification says of those that have left


@pytest.fixture
def retired(kept, old_month, write):
    """Three entries of a month that has left, then two of today, in the tree; the ids of all."""
    ids = [*old_month(LONG_AGO), *write(2)]
    make_months()
    retire_months(by=JOB)
    integrate_entries()
    return ids


def test_the_log_verifies_after_a_month_has_left(retired):
    for kind in (Verification.Kind.FULL, Verification.Kind.SINCE_LAST):
        verification = verify_log(by=JOB, kind=kind)
        assert (verification.result, verification.finding) == (Verification.Result.OK, "")
    assert Verification.objects.filter(kind=Verification.Kind.FULL).latest("finished_at").retired == 3


def test_an_entry_that_is_missing_from_another_month_is_still_named(retired, tamper):
    tamper("DELETE FROM audit_entry WHERE id = %s", retired[4])

    assert_fault(verify_log(by=JOB), "was removed", entry=retired[4], index=4)


def test_an_entry_that_came_back_from_a_month_that_has_left_is_named(retired, old_month, tamper):
    old_month(LONG_AGO, entries=1)
    tamper("UPDATE audit_entry SET transaction = (SELECT transaction FROM audit_entry WHERE id = %s) WHERE id = %s", retired[4], retired[0])

    assert_fault(verify_log(by=JOB), "was inserted", entry=retired[0], index=3)


@pytest.mark.parametrize("change", ["entries = 2", "first_index = 1", "last_index = 1"])
def test_a_month_that_took_other_entries_than_it_says_is_named(retired, tamper, change):
    tamper(f"UPDATE audit_retirement SET {change}")

    assert_fault(verify_log(by=JOB), "the retired month 2014-01 says", index=0)


def test_a_month_that_left_without_an_entry_is_named(retired, old_month):
    (first, *_) = old_month(LONG_AGO + relativedelta(months=1))
    make_months()
    integrate_entries()
    verify_log(by=JOB)
    retire_by_hand("audit_entry_2014_02")

    assert_fault(verify_log(by=JOB), "the month 2014-02 was retired without an entry", index=Leaf.objects.get(entry_id=first).index)


def test_the_entry_of_a_retirement_may_have_left_with_its_own_month(kept, old_month, write, tamper):
    old_month(LONG_AGO)
    write(1)
    make_months()
    integrate_entries()
    verify_log(by=JOB)
    retire_by_hand("audit_entry_2014_01")
    tamper("UPDATE audit_retirement SET retired_at = %s", LONG_AGO + timedelta(days=3))

    assert verify_log(by=JOB).result == Verification.Result.OK


def test_a_month_that_leaves_while_the_log_is_read_is_no_fault(kept, old_month, write, monkeypatch):
    monkeypatch.setattr(portions, "PORTION", 2)
    write(6)
    old_month(LONG_AGO)
    make_months()
    integrate_entries()
    left = []

    def leave(done, total):
        if not left:
            left.extend(retire_months(by=JOB))

    verification = verify_log(by=JOB, progress=leave)

    assert len(left) == 1
    assert (verification.result, verification.finding, verification.retired) == (Verification.Result.OK, "", 3)
