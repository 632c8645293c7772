"""Which log entries a person does not read yet, under which law, until when, and who decided it (USE-3, PROTECT-3)."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.models import Proposal
from privacy.declarations.walls import Wall
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject


class Silence(models.Model):
    """Some entries about one person stay out of their page until a day; then they appear by themselves. Kept as evidence."""

    class Ground(models.TextChoices):
        FRAUD = "fraud", _("investigation of a fraud (GDPR Art. 23(1)(d))")
        OTHERS = "others", _("another person's secret (GDPR Art. 15(4))")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False, verbose_name=_("person"))
    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="silence", verbose_name=_("decision"))
    ground = models.CharField(_("law"), max_length=12, choices=Ground)
    begun_at = models.DateTimeField(_("withheld from"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    released_at = models.DateTimeField(_("released early at"), null=True)
    released_by = models.UUIDField(_("released by"), null=True)

    subject_id: UUID

    wall = Wall.SUBJECT.granting(customer="SELECT (id, subject_id, until, released_at)", staff="SELECT, UPDATE (released_at, released_by)")
    not_personal = {
        "subject": "random id of the person",
        "proposal": "who asked and who approved, by random ids",
        "ground": "which law",
        "begun_at": "when",
        "until": "when it ends",
        "released_at": "when",
        "released_by": "random id of the member of staff",
    }

    class Meta:
        verbose_name = _("withheld log entries")
        verbose_name_plural = _("withheld log entries")
        indexes = [models.Index(fields=["subject", "until"], condition=Q(released_at__isnull=True), name="silence_in_force")]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("begun_at")), name="silence_ends_later"),
            models.CheckConstraint(
                condition=Q(released_at=None, released_by=None) | Q(released_at__isnull=False, released_by__isnull=False),
                name="silence_release_is_a_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("admin:privacy_silence_change", args=[self.pk])

    @property
    def is_in_force(self) -> bool:
        return self.released_at is None and timezone.now() < self.until


class SilencedEntry(models.Model):
    """One entry of the log that a silence is about. Kept with it; a reference alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    silence = models.ForeignKey(Silence, models.CASCADE, related_name="entries", db_index=False)
    entry_id = models.UUIDField()

    wall = Wall.through("silence").granting(customer="SELECT", staff="SELECT")
    not_personal = {"silence": "the decision it belongs to", "entry_id": "random id of the log entry"}

    class Meta:
        verbose_name = _("withheld log entry")
        verbose_name_plural = _("single withheld log entries")
        constraints = [models.UniqueConstraint(fields=["silence", "entry_id"], name="one_entry_once_per_silence")]

    def __str__(self) -> str:
        return str(self.entry_id)
