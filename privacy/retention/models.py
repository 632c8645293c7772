"""Each purge is a row that says what went, by model and number (CHANGE-3)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from privacy.jobs.models import JOB_FIELDS, Job


class PurgeRun(Job):
    """One purge of what has expired, or its rehearsal. Holds numbers only; kept as evidence."""

    class Result(models.TextChoices):
        CLEAN = "clean", _("books unchanged")
        REHEARSED = "rehearsed", _("rehearsal, nothing deleted")
        BROKEN = "broken", _("books changed")

    MAX_ATTEMPTS: ClassVar[int] = 20

    dry_run = models.BooleanField(_("rehearsal"), default=False)
    counts = models.JSONField(_("rows by model"), default=dict)
    invariants = models.JSONField(_("books before the run"), default=dict)
    result = models.CharField(_("result"), max_length=10, choices=Result, blank=True)

    not_personal = {
        **JOB_FIELDS,
        "dry_run": "whether it only counts",
        "counts": "numbers of rows by model",
        "invariants": "digests of money and stock",
        "result": "how it ended",
    }

    class Meta:
        verbose_name = _("purge run")
        verbose_name_plural = _("purge runs")
        indexes = [models.Index(fields=["-queued_at"], name="purge_run_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["dry_run"],
                condition=models.Q(dry_run=False, state__in=["queued", "running"]),
                name="one_purge_run_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def perform(self) -> None:
        from privacy.policy.roles import Actor
        from privacy.retention.actions import purge_expired

        purge_expired(by=Actor.job("purge"), run=self)

    def retry_delay(self) -> timedelta:
        return min(super().retry_delay(), timedelta(hours=1))
