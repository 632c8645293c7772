from datetime import timedelta

import pytest
from django.utils import timezone

from audit import queries
from audit.actions import integrate_entries, verify_log
from audit.identifiers import uuid7
from audit.queries import entries_about, log_health

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]


def age(tamper, table, column, hours):
    tamper(f"ALTER TABLE {table} DISABLE TRIGGER ALL; UPDATE {table} SET {column} = now() - interval '{hours} hours'")


def test_entries_about_a_person_newest_first_and_no_one_elses(write):
    subject = uuid7()
    first = write(1, subject)
    write(1, uuid7())
    write(1)
    second = write(2, subject)

    assert [entry.id for entry in entries_about(subject)] == [second[1], second[0], first[0]]


def test_log_health_of_an_empty_log_is_ok():
    health = log_health()

    assert health.ok
    assert (health.entries, health.waiting, health.checkpoint_age, health.verification) == (0, 0, None, None)


def test_log_health_of_a_fresh_and_verified_log_is_ok(write):
    write(3)
    integrate_entries()
    verification = verify_log()

    health = log_health()

    assert health.ok
    assert (health.entries, health.verification) == (3, verification)
    assert health.checkpoint_age < timedelta(minutes=1)
    assert health.waiting == 1  # the entry on the verification itself
    assert health.waiting_for < timedelta(minutes=1)


def test_log_health_counts_waiting_entries_up_to_a_bound(write, monkeypatch):
    monkeypatch.setattr(queries, "COUNTED_AT_MOST", 2)
    write(3)

    assert log_health().waiting == 2


def test_log_health_with_an_entry_waiting_too_long_is_not_ok(write, tamper):
    write()
    age(tamper, "audit_entry", "at", 1)

    health = log_health()

    assert not health.ok
    assert health.waiting_for >= queries.INTEGRATED_WITHIN


def test_log_health_after_a_failed_verification_is_not_ok(write, tamper):
    ids = write(2)
    integrate_entries()
    tamper("DELETE FROM audit_entry WHERE id = %s", ids[0])
    verify_log()

    assert not log_health().ok


def test_log_health_with_an_old_verification_is_not_ok(write, tamper):
    write()
    integrate_entries()
    verify_log()
    age(tamper, "audit_verification", "finished_at", 27)

    health = log_health()

    assert timezone.now() - health.verification.finished_at > queries.VERIFIED_WITHIN
    assert not health.ok


def test_log_health_of_a_log_never_verified_is_ok_for_a_day_alone(write, tamper):
    write()
    integrate_entries()
    assert log_health().ok

    age(tamper, "audit_checkpoint", "signed_at", 27)

    assert not log_health().ok


def test_log_health_asks_a_constant_number_of_queries(write, django_assert_max_num_queries):
    for count in (1, 20):
        write(count)
        integrate_entries()
        with django_assert_max_num_queries(8):
            log_health()
