"""What the promises need in time is sent in time, and by somebody who knows the task."""

import pytest
from celery.schedules import crontab
from django.conf import settings

from marketplace.celery import app

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400

# Beyond these seconds a promise is late.
AT_LEAST_EVERY = {
    "audit.integrate": 10 * SECOND,
    "audit.publish": MINUTE,
    "audit.verify": HOUR,
    "audit.verify_all": DAY,
    "audit.keep_months": DAY,
    "privacy.alerts.watch_log": 10 * MINUTE,
    "privacy.alerts.watch_floor": MINUTE,
    "privacy.alerts.watch_wall": HOUR,
    "privacy.alerts.watch_keys": HOUR,
    "privacy.alerts.watch_publications": 5 * MINUTE,
    "privacy.jobs.sweep": 10 * SECOND,
    "privacy.rights.advance_epoch": DAY,
    "privacy.rights.clear_deleted_keys": MINUTE,
    "privacy.rights.copy_erasure_ledger": MINUTE,
    "privacy.rights.finish_renewals": HOUR,
    "privacy.rights.start_due_erasures": MINUTE,
    "privacy.retention.purge": DAY,
    "privacy.staff_exports.expire": 5 * MINUTE,
    "privacy.approvals.expire": 5 * MINUTE,
    "privacy.access.watch_uses": 10 * MINUTE,
    "privacy.access.watch_names": DAY,
    "privacy.access.draw_reviews": 7 * DAY,
    "privacy.complaints.advance_timers": MINUTE,
    "orders.advance_timers": MINUTE,
    "accounts.warn_old_mailboxes": HOUR,
}


@pytest.mark.promise("PROTECT-2")
@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE.values(), ids=lambda entry: entry["task"])
def test_a_worker_has_every_task_of_the_timetable(entry):
    app.loader.import_default_modules()

    assert entry["task"] in app.tasks


@pytest.mark.promise("USE-3", "PROTECT-2")
def test_the_timetable_keeps_the_promises_in_time():
    sent = {entry["task"]: interval(entry["schedule"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert sent.keys() == AT_LEAST_EVERY.keys()
    assert {task: seconds for task, seconds in sent.items() if seconds > AT_LEAST_EVERY[task]} == {}


def interval(schedule):
    """The longest time between two messages in seconds; a crontab's times of the week lie evenly."""
    if not isinstance(schedule, crontab):
        return schedule
    return 7 * DAY / (len(schedule.day_of_week) * len(schedule.hour) * len(schedule.minute))
