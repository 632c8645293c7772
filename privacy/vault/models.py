"""Subjects and their keys (PROTECT-1, RIGHTS-3)."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.categories import Scope
from privacy.declarations.walls import Wall
from privacy.vault.identifiers import uuid7


def real_now() -> datetime:
    """Keys are as old as they are: the demo tells of its past, and makes them today."""
    return datetime.now(UTC)


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

    wall = Wall.SUBJECT.granting(customer="SELECT, INSERT, UPDATE (created_at)", gate="SELECT, INSERT, UPDATE")
    not_personal = {
        "kind": "customer, staff or seller",
        "created_at": "when the random id was made",
        "erased_at": "when the person's keys were destroyed",
    }

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return str(self.id)


class Epoch(models.Model):
    """A stretch of time in which keys are made and held. The row stays; its secret does not.

    Every wrapped data key is sealed once more under the secret of its epoch. When the epoch is over, all living keys
    move into the next one, and a while later the secret is destroyed: whatever copy of the keys' table is still about
    opens nothing from then on, not even with the key-encryption key.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField(default=real_now)
    ended_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    not_personal = {
        "started_at": "when",
        "ended_at": "when the next one began",
        "destroyed_at": "when its secret was destroyed",
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ended_at"], nulls_distinct=False, name="one_current_epoch"),
        ]

    def __str__(self) -> str:
        return f"epoch {self.pk}"


class EpochSecret(models.Model):
    """The wrapped secret of one epoch. Left out of every dump of the keys; deleted with its epoch's end."""

    epoch = models.OneToOneField(Epoch, models.PROTECT, primary_key=True, related_name="secret")
    wrapped = models.BinaryField()
    key_version = models.PositiveSmallIntegerField()

    not_personal = {
        "wrapped": "a random key, encrypted under the key-encryption key",
        "key_version": "version of the key-encryption key",
    }

    def __str__(self) -> str:
        return f"secret of {self.epoch_id}"


class KeyEncryptionKey(models.Model):
    """Since when a version of the key-encryption key is in use; the key itself stands in no database."""

    version = models.PositiveSmallIntegerField(primary_key=True)
    used_since = models.DateTimeField(default=real_now)

    not_personal = {"used_since": "when the first key was locked with it"}

    def __str__(self) -> str:
        return f"version {self.version}"


class SubjectKey(models.Model):
    """One wrapped data key of one person and scope. Lives in the keys' database; deleted by an erasure.

    The current key seals. One that was retired only opens, until what it sealed is sealed anew and it is deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_id = models.UUIDField()
    scope = models.CharField(max_length=12, choices=Scope)
    wrapped = models.BinaryField()
    key_version = models.PositiveSmallIntegerField()
    epoch = models.ForeignKey(Epoch, models.PROTECT, null=True)
    seals = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=real_now)
    retired_at = models.DateTimeField(null=True)

    not_personal = {
        "subject_id": "random id of the person",
        "scope": "which kind of data the key opens",
        "wrapped": "a random key, encrypted under the key-encryption key and the secret of its epoch",
        "key_version": "version of the key-encryption key",
        "epoch": "the epoch under whose secret the key lies",
        "seals": "about how many values were sealed with it",
        "created_at": "when the key was made",
        "retired_at": "when a newer key took over",
    }

    class Meta:
        constraints = [
            # The current key has no end; two keys of the same owner never end at the same moment.
            models.UniqueConstraint(fields=["subject_id", "scope", "retired_at"], nulls_distinct=False, name="one_current_key_per_owner"),
        ]
        indexes = [models.Index(fields=["retired_at"], condition=models.Q(retired_at__isnull=False), name="retired_keys")]

    def __str__(self) -> str:
        return f"{self.scope} {self.pk}"


class Clearing(models.Model):
    """Keys or secrets were deleted whose bytes stand in the files of their table until it is written anew."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owed_at = models.DateTimeField(default=real_now)

    not_personal = {"owed_at": "when"}

    def __str__(self) -> str:
        return f"clearing {self.pk}"


class KeyChange(models.Model):
    """Keys were destroyed, or changed by a login that is none of the site's; added by triggers, until the log was asked why."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    db_role = models.CharField(max_length=63)
    label = models.CharField(max_length=63)
    operation = models.CharField(max_length=8)
    subject_id = models.UUIDField(null=True)

    not_personal = {
        "at": "when",
        "db_role": "login of a process, not of a person",
        "label": "name of a table",
        "operation": "insert, update or delete",
        "subject_id": "random id of the person",
    }

    def __str__(self) -> str:
        return f"{self.operation} {self.pk}"


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
