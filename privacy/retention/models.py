"""Purges and holds as rows: what went, by model and number, and what may not go yet, under which law (CHANGE-3, RIGHTS-8)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.models import Proposal
from privacy.declarations.walls import Wall
from privacy.jobs.models import JOB_FIELDS, Job
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject


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

    wall = Wall.STAFF
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


class Hold(models.Model):
    """Nothing about this person may be deleted until a day, under a law; then it ends by itself. Kept as evidence.

    Released before that day only with the proposal that two people decided.
    """

    class Ground(models.TextChoices):
        CLAIMS = "claims", _("legal claims (GDPR Art. 17(3)(e))")
        AUTHORITY = "authority", _("order of a court or an authority (GDPR Art. 17(3)(b))")
        TAX_AUDIT = "tax_audit", _("running tax audit (GDPR Art. 17(3)(b))")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False, verbose_name=_("person"))
    ground = models.CharField(_("law"), max_length=12, choices=Ground)
    until = models.DateTimeField(_("until"))
    placed_at = models.DateTimeField(_("placed at"), default=timezone.now)
    placed_by = models.UUIDField(_("placed by"))
    released_at = models.DateTimeField(_("released early at"), null=True)
    release = models.OneToOneField(Proposal, models.PROTECT, related_name="hold", null=True, verbose_name=_("decision to release it"))

    subject_id: UUID

    wall = Wall.SUBJECT.granting(customer="SELECT", staff="SELECT, INSERT")
    not_personal = {
        "subject": "random id of the person",
        "ground": "which law",
        "until": "when it ends",
        "placed_at": "when",
        "placed_by": "random id of the member of staff",
        "released_at": "when",
        "release": "who asked and who approved, by random ids",
    }

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        indexes = [models.Index(fields=["subject", "until"], condition=Q(released_at__isnull=True), name="hold_in_force")]
        constraints = [
            models.CheckConstraint(
                condition=Q(released_at=None, release=None) | Q(released_at__isnull=False, release__isnull=False),
                name="hold_released_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("admin:privacy_hold_change", args=[self.pk])

    @property
    def is_in_force(self) -> bool:
        return self.released_at is None and timezone.now() < self.until
