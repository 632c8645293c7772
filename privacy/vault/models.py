"""Subjects and their keys (PROTECT-1, RIGHTS-3)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.categories import Scope
from privacy.vault.identifiers import uuid7


class Subject(models.Model):
    """A person, known here by nothing but a random id; the row stays as a tombstone after an erasure."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        STAFF = "staff", _("staff")
        SELLER = "seller", _("seller")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CUSTOMER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)

    not_personal = {
        "kind": "customer, staff or seller",
        "created_at": "when the random id was made",
        "erased_at": "when the person's keys were destroyed",
    }

    def __str__(self) -> str:
        return str(self.id)


class SubjectKey(models.Model):
    """One wrapped data key of one person and scope. Lives in the keys' database; deleted by an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_id = models.UUIDField()
    scope = models.CharField(max_length=12, choices=Scope)
    wrapped = models.BinaryField()
    key_version = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    not_personal = {
        "subject_id": "random id of the person",
        "scope": "which kind of data the key opens",
        "wrapped": "a random key, encrypted under the key-encryption key",
        "key_version": "version of the key-encryption key",
        "created_at": "when the key was made",
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_id", "scope"], name="one_key_per_subject_and_scope")]

    def __str__(self) -> str:
        return f"{self.scope} {self.pk}"


class DestroyedKey(models.Model):
    """The erasure ledger: this key was destroyed and may never be made again.

    Kept beside the keys and so outside the main database: replayed after a restore of either.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    subject_id = models.UUIDField()
    scope = models.CharField(max_length=12, choices=Scope)
    destroyed_at = models.DateTimeField(default=timezone.now)

    append_only = True
    not_personal = {
        "subject_id": "random id of the person",
        "scope": "which kind of data the key opened",
        "destroyed_at": "when",
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_id", "scope"], name="one_end_per_subject_and_scope")]

    def __str__(self) -> str:
        return f"{self.scope} {self.pk}"
