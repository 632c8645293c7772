"""Requests of people about their data, and the work that answers them (RIGHTS-1, RIGHTS-3, RIGHTS-7)."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.jobs.models import JOB_FIELDS, Job
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_code() -> str:
    """Eight random characters without look-alikes, to quote when writing to us; it opens nothing."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))


class Request(models.Model):
    """One right exercised by one person. Kept as evidence that it was answered, and when; names nobody."""

    class Kind(models.TextChoices):
        EXPORT = "export", _("Copy of your data")
        ERASURE = "erasure", _("Deletion of your data")
        CORRECTION = "correction", _("Correction of your data")

    class State(models.TextChoices):
        MADE = "made", _("received")
        WAITING = "waiting", _("waiting, can be canceled")
        RUNNING = "running", _("in progress")
        COMPLETED = "completed", _("done")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")

    OPEN: ClassVar = (State.MADE, State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("reference"), max_length=8, unique=True, default=new_code, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.MADE)
    locale = models.CharField(_("language"), max_length=12)
    made_at = models.DateTimeField(_("received"), default=timezone.now)
    due_at = models.DateTimeField(_("to be answered by"))
    effective_at = models.DateTimeField(_("begins"), null=True)
    completed_at = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(_("outcome"), max_length=40, blank=True)

    subject_id: UUID

    not_personal = {
        "code": "random reference",
        "subject": "random id of the person",
        "kind": "which right",
        "state": "how far it is",
        "locale": "language of the answer, shared by millions",
        "made_at": "when",
        "due_at": "the legal deadline",
        "effective_at": "end of the time to think again",
        "completed_at": "when",
        "outcome": "one word from a closed list",
    }

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        indexes = [
            models.Index(fields=["subject", "-made_at"], name="request_by_subject"),
            models.Index(fields=["state", "due_at"], name="request_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "kind"],
                condition=Q(state__in=["made", "waiting", "running"]),
                name="one_open_request_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["made", "waiting", "running"], completed_at__isnull=True)
                | Q(
                    state__in=["completed", "failed", "canceled"],
                    completed_at__isnull=False,
                ),
                name="request_ended_has_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(effective_at__isnull=False),
                name="request_waiting_has_end",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("privacy:request", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def work(self) -> ExportJob | ErasureJob | None:
        """The job that answers it, once there is one."""
        return getattr(self, "export", None) or getattr(self, "erasure", None)

    @property
    def has_failed_work(self) -> bool:
        return self.is_open and self.work is not None and self.work.state == Job.State.FAILED

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_at < timezone.now()


class ExportJob(Job):
    """Makes one copy of one person's data. The file is sealed, and deleted seven days after it is ready.

    ``file`` is its random name in the storage; empty once it is gone.
    """

    request = models.OneToOneField(Request, models.PROTECT, related_name="export")
    file = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), null=True)
    expires_at = models.DateTimeField(_("can be downloaded until"), null=True)
    downloaded_at = models.DateTimeField(_("last downloaded"), null=True)

    not_personal = {
        **JOB_FIELDS,
        "request": "the request it answers",
        "file": "random name of the sealed file",
        "size": "length of the copy",
        "expires_at": "when the file goes",
        "downloaded_at": "when",
    }

    class Meta:
        verbose_name = _("copy of data")
        verbose_name_plural = _("copies of data")
        indexes = [models.Index("expires_at", condition=~Q(file=""), name="export_with_file")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def can_be_downloaded(self) -> bool:
        return bool(self.file) and self.expires_at is not None and timezone.now() < self.expires_at

    def perform(self) -> None:
        from privacy.rights.copies import make_copy

        make_copy(job=self)

    def on_failure(self) -> None:
        from privacy.rights.copies import give_up_copy

        give_up_copy(job=self)


class ErasureJob(Job):
    """Carries out one erasure, step by step; ``steps`` says which are done, and when."""

    MAX_ATTEMPTS: ClassVar[int] = 20

    request = models.OneToOneField(Request, models.PROTECT, related_name="erasure")
    steps = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)

    not_personal = {
        **JOB_FIELDS,
        "request": "the request it answers",
        "steps": "names of steps and when each was done",
        "counts": "numbers of rows by model",
    }

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def perform(self) -> None:
        from privacy.rights.steps import carry_out_erasure

        carry_out_erasure(job=self)

    def retry_delay(self) -> timedelta:
        return min(super().retry_delay(), timedelta(hours=1))

    def on_failure(self) -> None:
        from privacy.rights.steps import give_up_erasure

        give_up_erasure(job=self)


class Receipt(models.Model):
    """Proof of an erasure: numbers, keys and log entries, and what the law keeps. Names nobody; kept as evidence.

    ``records_ended_at`` is set when the last record that the law kept is gone and its key destroyed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.OneToOneField(Request, models.PROTECT, related_name="receipt")
    counts = models.JSONField()
    scopes = models.JSONField()
    kept = models.JSONField()
    entries = models.JSONField()
    issued_at = models.DateTimeField(default=timezone.now)
    records_ended_at = models.DateTimeField(null=True)

    not_personal = {
        "request": "the request it answers",
        "counts": "numbers of rows by model",
        "scopes": "which keys were destroyed",
        "kept": "which kinds of records stay, under which law, until when",
        "entries": "random ids of log entries",
        "issued_at": "when",
        "records_ended_at": "when the last kept record went",
    }

    class Meta:
        verbose_name = _("receipt of an erasure")
        verbose_name_plural = _("receipts of erasures")
        indexes = [
            models.Index(
                "issued_at",
                condition=Q(records_ended_at__isnull=True),
                name="receipt_with_records",
            )
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class ReceiptLink(models.Model):
    """A mailed link to a receipt. The link itself is stored nowhere; destroyed when it expires."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey(Request, models.CASCADE, related_name="receipt_links")
    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    not_personal = {
        "request": "the erasure it tells about",
        "digest": "SHA-256 of a random value",
        "expires_at": "when it stops working",
    }

    class Meta:
        verbose_name = _("link to a receipt")
        verbose_name_plural = _("links to receipts")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"
