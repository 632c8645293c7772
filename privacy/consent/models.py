"""The ledger of permissions: who, for what, in which exact words, when (COLLECT-3)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.policy.models import PolicyVersion
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject


class ConsentStatement(models.Model):
    """The exact words that somebody agreed to, in one language, under one policy version."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.CharField(max_length=20, choices=Purpose)
    policy = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="+")
    locale = models.CharField(max_length=10)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)

    wall = Wall.PUBLIC.granting(customer="SELECT, INSERT", gate="SELECT, INSERT")
    append_only = True
    not_personal = {
        "purpose": "the purpose asked about",
        "policy": "the version it was shown with",
        "locale": "language",
        "text": "the words shown, the same for everybody",
        "sha256": "fingerprint of the words",
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "policy", "locale", "sha256"],
                name="one_row_per_consent_statement",
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.locale}"


class ConsentEntry(models.Model):
    """One decision. Kept as evidence: it names the person by their random id and holds nothing else of them."""

    class Decision(models.TextChoices):
        GIVEN = "given", _("given")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    purpose = models.CharField(max_length=20, choices=Purpose)
    decision = models.CharField(max_length=10, choices=Decision)
    statement = models.ForeignKey(ConsentStatement, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)

    wall = Wall.SUBJECT.granting(gate="SELECT, INSERT")
    append_only = True
    not_personal = {
        "subject": "random id of the person",
        "purpose": "the purpose decided on",
        "decision": "given or withdrawn",
        "statement": "the words shown",
        "at": "when",
    }

    class Meta:
        indexes = [models.Index(fields=["subject", "purpose", "-id"], name="consent_by_subject")]
        verbose_name = _("permission")

    def __str__(self) -> str:
        return f"{self.purpose} {self.decision}"
