"""The row behind every piece of background work; losing the broker loses nothing (RIGHTS-7, CHANGE-3)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.identifiers import uuid7

JOB_FIELDS = {
    "state": "how far the work is",
    "progress": "percent done",
    "attempts": "how often it was begun",
    "queued_at": "when",
    "due_at": "not to be begun before",
    "started_at": "when",
    "finished_at": "when",
    "error": "name of the kind of error, never its text",
}
HOW_FAR = "SELECT (state, due_at, finished_at)"  # the right to count jobs, for logins that have no business with what is in them


class Job(models.Model):
    """Work to do once, by whichever worker comes first.

    A subclass implements ``perform``: idempotent, in units of work of its own, so that a worker killed at any
    line leaves something that the next attempt can finish. ``not_personal`` includes ``JOB_FIELDS``.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("in progress")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")

    OPEN: ClassVar = (State.QUEUED, State.RUNNING)
    MAX_ATTEMPTS: ClassVar[int] = 5

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=80, blank=True)

    class Meta:
        abstract = True

    def perform(self) -> None:
        """Do the work. Raise TryLater to come back, anything else counts as a failed attempt."""
        raise NotImplementedError

    def on_failure(self) -> None:
        """Called when the last attempt has failed; tell whoever waits. Idempotent: a killed worker leaves it to another."""

    def enqueue(self) -> None:
        """Save the row and send it to a worker once the transaction has committed."""
        self.save()
        self.send_after_commit()

    def send_after_commit(self) -> None:
        """For a row that stands as it should."""
        from privacy.jobs.actions import send

        transaction.on_commit(lambda: send(self))

    def report(self, percent: int) -> None:
        """Commit progress now; call it between units of work, not inside one."""
        self.progress = min(max(percent, 0), 99)
        type(self)._base_manager.filter(pk=self.pk).update(progress=self.progress)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    def retry_delay(self) -> timedelta:
        """Doubling from 5 seconds: 5, 10, 20, 40."""
        return timedelta(seconds=5 * 2 ** max(self.attempts - 1, 0))
