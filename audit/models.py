"""Keeps USE-3: the append-only log, the leaves of its tree, its signed checkpoints and their verifications."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.fields import ClockTimestamp, CurrentTransaction, LoginRole, Xid8Field
from audit.identifiers import uuid7


class Entry(models.Model):
    """One thing that happened: who did what to whose data and why, in opaque references alone.

    Written only by `audit.record`, changed and deleted by nobody (grants and triggers).
    The database gives `at`, `transaction` and `db_role`; no runtime role may write them.
    Kept as long as the log; what it says about an erased person is a reference to nobody.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(_("when"), db_default=ClockTimestamp())
    transaction = Xid8Field(_("transaction"), db_default=CurrentTransaction())
    db_role = models.CharField(_("database role"), max_length=63, db_default=LoginRole())
    event = models.CharField(_("event"), max_length=80)
    actor_role = models.CharField(_("role"), max_length=80)
    actor_id = models.UUIDField(_("actor"), null=True)
    actor_name = models.CharField(_("job"), max_length=80, blank=True)
    subject_id = models.UUIDField(_("person"), null=True)
    object_label = models.CharField(_("kind of object"), max_length=80, blank=True)
    object_id = models.UUIDField(_("object"), null=True)
    case_label = models.CharField(_("kind of case"), max_length=80, blank=True)
    case_id = models.UUIDField(_("case"), null=True)
    purpose = models.CharField(_("purpose"), max_length=80, blank=True)
    categories = ArrayField(models.CharField(max_length=80), verbose_name=_("categories"), default=list)
    fields = ArrayField(models.CharField(max_length=80), verbose_name=_("fields"), default=list)
    request_id = models.UUIDField(_("web request"), null=True)
    outcome = models.CharField(_("outcome"), max_length=80)

    not_personal: ClassVar[dict[str, str]] = {
        "at": "when it happened, read only together with the references",
        "transaction": "number of the database transaction",
        "db_role": "login of a process, not of a person",
        "event": "one of a closed list",
        "actor_role": "one of a closed list",
        "actor_id": "random reference, resolves to nobody once the account is erased",
        "actor_name": "name of a job",
        "subject_id": "random reference, resolves to nobody once the person is erased",
        "object_label": "name of a model",
        "object_id": "random reference",
        "case_label": "name of a model",
        "case_id": "random reference",
        "purpose": "one of a closed list",
        "categories": "of a closed list",
        "fields": "names of fields, never their values",
        "request_id": "random reference",
        "outcome": "one short word",
    }

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("log entries")
        indexes = [
            models.Index(fields=["subject_id", "at"], name="audit_entry_subject"),
            models.Index(fields=["transaction", "id"], name="audit_entry_transaction"),
            models.Index(fields=["at"], name="audit_entry_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.id}"


class Leaf(models.Model):
    """The place of one entry in the log's Merkle tree. Outlives its entry, so that the tree keeps verifying.

    `commitment` is keyed (see `audit.commitments`): when the person's log key is destroyed it says
    nothing about the entry any more, and the tree still holds.
    """

    index = models.BigIntegerField(_("index"), primary_key=True)
    entry_id = models.UUIDField(_("entry"), unique=True)
    commitment = models.BinaryField(_("commitment"), max_length=32)
    key_id = models.UUIDField(_("log key"), null=True)

    not_personal: ClassVar[dict[str, str]] = {
        "index": "position in the tree",
        "entry_id": "random reference",
        "commitment": "keyed hash, says nothing without the key",
        "key_id": "random reference to a key in another database",
    }

    class Meta:
        verbose_name = _("leaf")
        verbose_name_plural = _("leaves")

    def __str__(self) -> str:
        return str(self.index)


class Checkpoint(models.Model):
    """The signed state of the tree at one size (C2SP tlog-checkpoint). Kept as long as the log.

    Every entry whose transaction is below `watermark` is in the tree; no other is.
    `frontier` holds the roots of the complete subtrees, largest first, 32 bytes each.
    """

    size = models.BigIntegerField(_("entries"), primary_key=True)
    root = models.BinaryField(_("root"), max_length=32)
    watermark = Xid8Field(_("watermark"))
    frontier = models.BinaryField(_("frontier"))
    note = models.TextField(_("signed note"))
    signed_at = models.DateTimeField(_("signed at"), db_default=ClockTimestamp())
    key_version = models.PositiveIntegerField(_("key version"))

    not_personal: ClassVar[dict[str, str]] = {
        "size": "number of entries",
        "root": "hash of keyed hashes",
        "watermark": "number of a database transaction",
        "frontier": "hashes of keyed hashes",
        "note": "size and root, signed",
        "signed_at": "when the job ran",
        "key_version": "number of a signing key",
    }

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")

    def __str__(self) -> str:
        return str(self.size)


class Verification(models.Model):
    """The result of one complete verification of the log. Kept as long as the log."""

    class Result(models.TextChoices):
        OK = "ok", _("holds")
        FAILED = "failed", _("does not hold")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"))
    entries = models.BigIntegerField(_("entries verified"))
    erased = models.BigIntegerField(_("of which erased"))
    checkpoints = models.IntegerField(_("checkpoints that hold"))
    result = models.CharField(_("result"), max_length=10, choices=Result)
    first_bad_entry = models.UUIDField(_("first bad entry"), null=True)
    first_bad_index = models.BigIntegerField(_("its place"), null=True)
    finding = models.TextField(_("finding"), blank=True)

    not_personal: ClassVar[dict[str, str]] = {
        "started_at": "when the job ran",
        "finished_at": "when the job ended",
        "entries": "a count",
        "erased": "a count",
        "checkpoints": "a count",
        "result": "one of two words",
        "first_bad_entry": "random reference",
        "first_bad_index": "position in the tree",
        "finding": "one sentence on references and counts",
    }

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        indexes = [models.Index(fields=["-finished_at"], name="audit_verification_finished")]

    def __str__(self) -> str:
        return f"{self.result} {self.finished_at:%Y-%m-%d %H:%M}"
