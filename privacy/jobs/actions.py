"""Send, run and sweep jobs (RIGHTS-7, CHANGE-3)."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from celery import current_app
from django.apps import apps
from django.core.cache import cache
from django.db import models
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from privacy.jobs.errors import TryLater
from privacy.jobs.locks import job_lock
from privacy.jobs.models import Job

logger = logging.getLogger(__name__)

SWEEP_AFTER = timedelta(seconds=5)
SWEEP_LIMIT = 500
SEND_AGAIN_SECONDS = 60


def send(job: Job) -> None:
    """Hand the job to a worker; when the broker is away the sweeper does it later."""
    try:
        current_app.send_task(
            "privacy.jobs.perform",
            args=[job._meta.label_lower, str(job.pk)],
            retry=False,
            ignore_result=True,
        )
    except (BrokerError, OSError):
        logger.warning("broker away; %s waits for the sweeper", job._meta.label_lower)


def perform_job(label: str, id: UUID) -> None:
    """Run one job unless it is finished, not due, or in another worker's hands."""
    model: type[Job] = apps.get_model(label)
    with job_lock(id) as free:
        job = model._base_manager.filter(pk=id, state__in=Job.OPEN, due_at__lte=timezone.now()).first() if free else None
        if job is None:
            return
        if job.attempts >= job.MAX_ATTEMPTS:  # every worker that took it died, and the next would too
            _give_up_or_wait(job, "WorkerLost")
        else:
            _run(job)


def _run(job: Job) -> None:
    _change(
        job,
        state=Job.State.RUNNING,
        started_at=timezone.now(),
        attempts=job.attempts + 1,
    )
    try:
        job.perform()
    except TryLater as later:
        _wait(job, timedelta(seconds=later.seconds), attempts=job.attempts - 1)
    except Exception as error:  # whatever happens in a job is its own row's business
        logger.warning("%s %s: %s", job._meta.label_lower, job.pk, type(error).__name__)
        _give_up_or_wait(job, type(error).__name__)
    else:
        _change(
            job,
            state=Job.State.DONE,
            progress=100,
            error="",
            finished_at=timezone.now(),
        )


def _give_up_or_wait(job: Job, error: str) -> None:
    if job.attempts >= job.MAX_ATTEMPTS:
        job.on_failure()  # before the end is noted: a worker killed in between leaves it to the next one
        _change(job, state=Job.State.FAILED, error=error[:80], finished_at=timezone.now())
    else:
        _wait(job, job.retry_delay(), error=error[:80])


def _wait(job: Job, delay: timedelta, **values: object) -> None:
    _change(job, state=Job.State.QUEUED, due_at=timezone.now() + delay, **values)


def _change(job: Job, **values: object) -> None:
    """Write only while the job is still open, so that a cancellation from outside is never overwritten."""
    for name, value in values.items():
        setattr(job, name, value)
    type(job)._base_manager.filter(pk=job.pk, state__in=Job.OPEN).update(**values)


def job_models() -> list[type[Job]]:
    return [model for model in apps.get_models() if issubclass(model, Job)]


def sweep_jobs() -> int:
    """Send again every job that is due and open and that nobody holds; returns how many were sent.

    The same turn of a job is sent again once a minute at most, so that messages do not pile up behind a busy worker.
    """
    now = timezone.now()
    sent = 0
    for model in job_models():
        due = model._base_manager.filter(state__in=Job.OPEN, due_at__lte=now).filter(
            models.Q(state=Job.State.RUNNING) | models.Q(queued_at__lte=now - SWEEP_AFTER)
        )
        for job in due.order_by("due_at")[:SWEEP_LIMIT]:
            with job_lock(job.pk) as free:
                if not free or not _is_its_turn(job):
                    continue
            send(job)
            sent += 1
    return sent


def _is_its_turn(job: Job) -> bool:
    """Noted in the broker's own server: when that is flushed, the note is lost with the message."""
    turn = f"swept:{job.pk}:{job.attempts}:{job.due_at.timestamp()}"
    return cache.add(turn, True, SEND_AGAIN_SECONDS)
