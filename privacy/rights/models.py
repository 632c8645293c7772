"""Requests of people about their data, and the work that answers them (RIGHTS-1, RIGHTS-3, RIGHTS-7)."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from privacy.access.assignment import ASSIGNMENT_FIELDS, Assignable
from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, months
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.jobs.models import JOB_FIELDS, Job
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord
from privacy.wall.uniqueness import UniqueByHash

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_code() -> str:
    """Eight random characters without look-alikes, to quote when writing to us; it opens nothing."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))


class Request(Assignable):
    """One right exercised by one person. Kept as evidence that it was answered, and when; names nobody.

    ``topic`` is the purpose objected to, or the random id of the record to correct; empty for what concerns everything.
    """

    class Kind(models.TextChoices):
        EXPORT = "export", _("Copy of your data")
        ERASURE = "erasure", _("Deletion of your data")
        CORRECTION = "correction", _("Correction of your data")
        RESTRICTION = "restriction", _("Freezing of your data")
        OBJECTION = "objection", _("Objection to a use of your data")

    class State(models.TextChoices):
        MADE = "made", _("received")
        WAITING = "waiting", _("waiting, can be canceled")
        RUNNING = "running", _("in progress")
        COMPLETED = "completed", _("done")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")

    OPEN: ClassVar = (State.MADE, State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("reference"), max_length=8, default=new_code, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    topic = models.CharField(_("about"), max_length=36, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.MADE)
    locale = models.CharField(_("language"), max_length=12)
    made_at = models.DateTimeField(_("received"), default=timezone.now)
    due_at = models.DateTimeField(_("to be answered by"))
    effective_at = models.DateTimeField(_("begins"), null=True)
    completed_at = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(_("outcome"), max_length=40, blank=True)

    subject_id: UUID

    wall = Wall.SUBJECT.granting(customer="SELECT, INSERT, UPDATE (state, completed_at, outcome)", gate="SELECT (id, subject_id)")
    not_personal = {
        **ASSIGNMENT_FIELDS,
        "code": "random reference",
        "subject": "random id of the person",
        "kind": "which right",
        "topic": "one of the purposes, or the random id of a record",
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
            models.Index(fields=["assigned_to", "due_at"], name="request_by_agent", condition=Q(completed_at=None)),
        ]
        constraints = [
            UniqueByHash(field="code", name="one_request_per_code"),
            models.UniqueConstraint(
                fields=["subject", "kind", "topic"],
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

    is_in_work = is_open

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

    @property
    def is_for_staff(self) -> bool:
        """True while it waits for a person's decision, not for a job."""
        return self.is_open and self.kind in (self.Kind.CORRECTION, self.Kind.OBJECTION)


class RequestDetail(PersonalRecord):
    """What a person proposed and why, and what we answered. Destroyed three months after the answer.

    ``record_label``, ``record_id`` and ``field`` name the value to be corrected; they are empty for an objection.
    """

    request = models.ForeignKey(Request, models.PROTECT, db_index=False, related_name="details")
    record_label = models.CharField(max_length=80, blank=True)
    record_id = models.UUIDField(null=True)
    field = models.CharField(max_length=80, blank=True)
    answered_at = models.DateTimeField(null=True)
    old_value = personal(models.TextField(_("value until now"), null=True), Category.INTERACTION)
    new_value = personal(models.TextField(_("value you proposed"), max_length=300, null=True), Category.INTERACTION)
    reason = personal(models.TextField(_("your reason"), max_length=1000, null=True), Category.INTERACTION)
    answer = personal(models.TextField(_("our answer"), max_length=2000, null=True), Category.INTERACTION)

    wall = Wall.SUBJECT.granting(customer="SELECT, INSERT, UPDATE (answered_at)")
    lifetime = Lifetime(
        purposes=[Purpose.RIGHTS],
        starts="answered_at",
        lasts=months(3),
        until=_("3 months after our answer, so that you can complain about it"),
    )
    not_personal = {
        "request": "the request it belongs to",
        "record_label": "kind of the record to be corrected",
        "record_id": "random id of the record to be corrected",
        "field": "name of the field to be corrected",
        "answered_at": "when we answered",
    }
    described_by = ("request",)

    class Meta:
        verbose_name = _("details of a request")
        verbose_name_plural = _("details of requests")
        constraints = [models.UniqueConstraint(fields=["subject", "request"], name="one_detail_per_request")]

    def describe(self) -> str:
        return gettext("request %(code)s") % {"code": self.request.code}


class Restriction(models.Model):
    """What may only be stored (GDPR Art. 18), or a use that stands still (Art. 21). Kept as evidence; names nobody.

    A freeze names kinds of data, an objection names the purpose; it holds while ``ended_at`` is empty.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.OneToOneField(Request, models.PROTECT, related_name="restriction")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    categories = ArrayField(models.CharField(max_length=20, choices=Category), default=list)
    purpose = models.CharField(max_length=20, choices=Purpose, blank=True)
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    subject_id: UUID

    wall = Wall.SUBJECT.granting(customer="SELECT, INSERT, UPDATE (ended_at)", gate="SELECT")
    not_personal = {
        "request": "the request it answers",
        "subject": "random id of the person",
        "categories": "which kinds of data are frozen",
        "purpose": "which use was objected to",
        "began_at": "when",
        "ended_at": "when",
    }

    class Meta:
        verbose_name = _("restriction")
        verbose_name_plural = _("restrictions")
        indexes = [models.Index(fields=["subject"], condition=Q(ended_at__isnull=True), name="restriction_in_force")]
        constraints = [
            models.CheckConstraint(condition=Q(purpose="") ^ Q(categories=[]), name="restriction_of_data_or_of_a_use"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class ExportJob(Job):
    """Makes one copy of one person's data. The file is sealed, and deleted seven days after it is ready.

    ``file`` is its random name in the storage; empty once it is gone.
    """

    request = models.OneToOneField(Request, models.PROTECT, related_name="export")
    file = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), null=True)
    expires_at = models.DateTimeField(_("can be downloaded until"), null=True)
    downloaded_at = models.DateTimeField(_("last downloaded"), null=True)

    wall = Wall.through("request").granting(customer="SELECT, INSERT, UPDATE (downloaded_at)")
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

    wall = Wall.through("request").granting(customer="SELECT")
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

    wall = Wall.through("request").granting(customer="SELECT")
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
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField(db_index=True)

    wall = Wall.through("request").granting(customer="SELECT", gate="SELECT", staff="SELECT").keeping("digest", to=("customer", "gate"))
    not_personal = {
        "request": "the erasure it tells about",
        "digest": "SHA-256 of a random value",
        "expires_at": "when it stops working",
    }

    class Meta:
        verbose_name = _("link to a receipt")
        verbose_name_plural = _("links to receipts")
        constraints = [UniqueByHash(field="digest", name="one_receipt_link_per_digest")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"
