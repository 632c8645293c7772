"""What beat sends, a worker knows: a task that nobody registered is thrown away without anybody being told."""

import pytest
from django.conf import settings

from marketplace.celery import app


@pytest.mark.promise("PROTECT-2")
@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE.values(), ids=lambda entry: entry["task"])
def test_a_worker_has_every_task_of_the_timetable(entry):
    app.loader.import_default_modules()

    assert entry["task"] in app.tasks
