"""Somebody is told when the log does not hold, was not verified in time or binds nothing any more."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Verification
from audit.record import record
from privacy.alerts.log_watch import watch_log
from privacy.alerts.models import Alert, AlertKind
from privacy.policy.roles import Actor

pytestmark = [pytest.mark.django_db, pytest.mark.promise("USE-3")]

HOUR = timedelta(hours=1)
OK, FAILED = Verification.Result
FULL, SINCE_LAST, MONTH = Verification.Kind


@pytest.fixture(autouse=True)
def waiting_for_nothing(monkeypatch):
    """In the transaction of a test nothing is ever bound into the log."""
    monkeypatch.setattr("audit.queries.INTEGRATED_WITHIN", timedelta(days=1))


def verified(age, kind=FULL, result=OK):
    at = timezone.now() - age
    Verification.objects.create(started_at=at, finished_at=at, kind=kind, result=result, entries=0, erased=0, checkpoints=0)


def raised():
    return set(Alert.objects.values_list("kind", flat=True))


def test_nothing_is_raised_of_a_log_that_holds():
    verified(HOUR)

    watch_log()

    assert raised() == set()


@pytest.mark.parametrize("kind", list(Verification.Kind))
def test_a_failure_is_raised_once_and_counted_up(kind):
    verified(2 * HOUR)
    verified(HOUR, kind, FAILED)

    watch_log()
    watch_log()

    alert = Alert.objects.get()
    assert (alert.kind, alert.count) == (AlertKind.LOG_FAILED, 2)


@pytest.mark.parametrize(("kind", "expected"), [(SINCE_LAST, set()), (FULL, set()), (MONTH, {AlertKind.LOG_FAILED})])
def test_a_failure_is_over_when_what_failed_was_read_again_and_holds(kind, expected):
    verified(40 * HOUR, FULL, FAILED)
    verified(30 * HOUR)
    verified(25 * HOUR, FULL, FAILED)
    verified(timedelta(), kind)

    watch_log()

    assert raised() == expected


def test_a_failure_that_was_over_before_anybody_looked_is_told_once():
    verified(HOUR / 3, SINCE_LAST, FAILED)
    verified(HOUR / 12, SINCE_LAST)

    watch_log()
    watch_log()

    assert [(alert.kind, alert.count) for alert in Alert.objects.filter(kind=AlertKind.LOG_FAILED)] == [(AlertKind.LOG_FAILED, 1)]


@pytest.mark.parametrize(("age", "kind"), [(3 * HOUR, FULL), (9 * 24 * HOUR, SINCE_LAST)])
def test_a_late_verification_is_raised(age, kind):
    verified(9 * 24 * HOUR if kind == SINCE_LAST else age)
    verified(HOUR if kind == SINCE_LAST else age, kind)

    watch_log()

    assert raised() == {AlertKind.LOG_UNVERIFIED}


def test_entries_that_wait_too_long_are_raised(monkeypatch):
    verified(HOUR)
    monkeypatch.setattr("audit.queries.INTEGRATED_WITHIN", timedelta())
    with transaction.atomic():
        record(Event.PURGE_STARTED, by=Actor.job("purge"))

    watch_log()

    assert raised() == {AlertKind.LOG_WAITING}
