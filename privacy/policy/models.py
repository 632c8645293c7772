"""The published policy, version by version, as data (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from privacy.vault.identifiers import uuid7

NOTICE_PERIOD = timedelta(days=30)


class PolicyVersion(models.Model):
    """One version of the policy; never changed once announced.

    The first version takes effect with its announcement: there is nobody yet whom it could surprise. Every
    later one waits out the notice period.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveSmallIntegerField(_("version"), unique=True)
    purposes = ArrayField(models.CharField(max_length=20))
    announced_at = models.DateTimeField(_("announced"))
    effective_at = models.DateTimeField(_("in force from"))

    append_only = True
    not_personal = {
        "number": "version",
        "purposes": "the purposes that this version allows",
        "announced_at": "when it was announced",
        "effective_at": "when it takes effect",
    }

    class Meta:
        ordering = ["-number"]
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number=1) | models.Q(effective_at__gte=models.F("announced_at") + models.Value(NOTICE_PERIOD)),
                name="policy_effective_after_notice",
            ),
            models.CheckConstraint(
                condition=models.Q(effective_at__gte=models.F("announced_at")),
                name="policy_effective_after_announcement",
            ),
        ]

    def __str__(self) -> str:
        return f"{_('Version')} {self.number}"


class PolicyText(models.Model):
    """The words of one version in one language.

    ``sections`` is a list of ``{"id", "heading", "paragraphs": [text], "promises": [id]}``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="texts")
    locale = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    summary = models.JSONField()
    sections = models.JSONField()
    sha256 = models.CharField(max_length=64)

    append_only = True
    not_personal = {
        "version": "the version it words",
        "locale": "language",
        "title": "published text",
        "summary": "published text",
        "sections": "published text",
        "sha256": "fingerprint of the published text",
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "locale"], name="one_policy_text_per_language")]

    def __str__(self) -> str:
        return self.title
