"""Keeps USE-3: the append-only log, the leaves of its tree, its signed checkpoints and their verifications."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.fields import ClockTimestamp, CurrentTransaction, LoginRole, Xid8Field
from audit.identifiers import moment_of, uuid7


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
    actor_name = models.CharField(_("job"), max_length=80, blank=True, db_default="")
    subject_id = models.UUIDField(_("person"), null=True)
    object_label = models.CharField(_("kind of object"), max_length=80, blank=True, db_default="")
    object_id = models.UUIDField(_("object"), null=True)
    case_label = models.CharField(_("kind of case"), max_length=80, blank=True, db_default="")
    case_id = models.UUIDField(_("case"), null=True)
    purpose = models.CharField(_("purpose"), max_length=80, blank=True, db_default="")
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
            # Each but the second ends as lists are ordered: without the id the database would sort all that a person has.
            models.Index(fields=["subject_id", "at", "id"], name="audit_entry_subject"),
            models.Index(fields=["transaction", "id"], name="audit_entry_transaction"),
            models.Index(fields=["at", "id"], name="audit_entry_at"),
            models.Index(fields=["actor_id", "at", "id"], name="audit_entry_actor", condition=models.Q(actor_id__isnull=False)),
            models.Index(fields=["case_id", "at", "id"], name="audit_entry_case", condition=models.Q(case_id__isnull=False)),
            models.Index(fields=["event", "at", "id"], name="audit_entry_event"),
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


class Tile(models.Model):
    """256 hashes of the log's Merkle tree, side by side on one level, once there are 256 (C2SP tlog-tiles).

    Made from the leaves and kept so that proofs and readers need few rows. Kept as long as the log.
    """

    pk = models.CompositePrimaryKey("level", "number")
    level = models.PositiveSmallIntegerField(_("level"))
    number = models.BigIntegerField(_("number"))
    hashes = models.BinaryField(_("hashes"), max_length=8192)
    root = models.BinaryField(_("root"), max_length=32)

    not_personal: ClassVar[dict[str, str]] = {
        "level": "position in the tree",
        "number": "position in the tree",
        "hashes": "hashes of keyed hashes",
        "root": "hash of hashes of keyed hashes",
    }

    class Meta:
        verbose_name = _("tile")
        verbose_name_plural = _("tiles")

    def __str__(self) -> str:
        return f"{self.level}/{self.number}"


class Checkpoint(models.Model):
    """The signed state of the tree at one size (C2SP tlog-checkpoint). Kept as long as the log.

    Every entry whose transaction is below `watermark` is in the tree; no other is.
    `frontier` holds the roots of the complete subtrees, largest first, 32 bytes each.
    `seal` is keyed and binds what the signed note does not say, too.
    """

    size = models.BigIntegerField(_("entries"), primary_key=True)
    root = models.BinaryField(_("root"), max_length=32)
    watermark = Xid8Field(_("watermark"))
    frontier = models.BinaryField(_("frontier"))
    note = models.TextField(_("signed note"))
    signed_at = models.DateTimeField(_("signed at"), db_default=ClockTimestamp())
    key_version = models.PositiveIntegerField(_("key version"))
    seal = models.BinaryField(_("seal"), max_length=32)

    not_personal: ClassVar[dict[str, str]] = {
        "size": "number of entries",
        "root": "hash of keyed hashes",
        "watermark": "number of a database transaction",
        "frontier": "hashes of keyed hashes",
        "note": "size and root, signed",
        "signed_at": "when the job ran",
        "key_version": "number of a signing key",
        "seal": "keyed hash of the other columns",
    }

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")

    def __str__(self) -> str:
        return str(self.size)


class Retirement(models.Model):
    """A span of the log, by default a month, whose entries have gone by the log's own lifetime; their leaves have stayed.

    Added by the database's own function alone, in the transaction that drops the entries (see `audit.partitions`).
    From `first_id` up to, not including, `end_id` no entry is left; `entries` of them had leaves, from `first_index`
    to `last_index`, between which entries of the spans beside it may lie. Kept as long as the log.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    first_id = models.UUIDField(_("from the entry"), unique=True)
    end_id = models.UUIDField(_("up to the entry"))
    entries = models.BigIntegerField(_("entries"))
    first_index = models.BigIntegerField(_("first place"), null=True)
    last_index = models.BigIntegerField(_("last place"), null=True)
    retired_at = models.DateTimeField(_("retired at"), db_default=ClockTimestamp())

    not_personal: ClassVar[dict[str, str]] = {
        "first_id": "bound of a span of time",
        "end_id": "bound of a span of time",
        "entries": "a count",
        "first_index": "position in the tree",
        "last_index": "position in the tree",
        "retired_at": "when the job ran",
    }

    class Meta:
        verbose_name = _("retired month")
        verbose_name_plural = _("retired months")

    def __str__(self) -> str:
        return f"{moment_of(self.first_id):%Y-%m}"


class Cosignature(models.Model):
    """A witness's word that it saw a checkpoint of this log and that the log only grew (C2SP tlog-cosignature).

    Kept as long as the log.
    """

    pk = models.CompositePrimaryKey("size", "witness")
    size = models.BigIntegerField(_("entries"))
    witness = models.CharField(_("witness"), max_length=200)
    line = models.TextField(_("signature line"))
    collected_at = models.DateTimeField(_("collected at"), db_default=ClockTimestamp())

    not_personal: ClassVar[dict[str, str]] = {
        "size": "number of entries",
        "witness": "name of a witness's key",
        "line": "signature of a witness",
        "collected_at": "when the job ran",
    }

    class Meta:
        verbose_name = _("cosignature")
        verbose_name_plural = _("cosignatures")

    def __str__(self) -> str:
        return f"{self.witness} {self.size}"


class Publication(models.Model):
    """How far a place outside the database has the log, for each place in settings.AUDIT_PUBLISH."""

    name = models.CharField(_("place"), max_length=400, primary_key=True)
    size = models.BigIntegerField(_("entries there"), default=0)
    tried_at = models.DateTimeField(_("tried at"))
    behind_since = models.DateTimeField(_("behind since"), null=True)
    error = models.CharField(_("error"), max_length=80, blank=True)
    finding = models.TextField(_("finding"), blank=True)

    not_personal: ClassVar[dict[str, str]] = {
        "name": "address of a directory, a bucket or a witness, without credentials",
        "size": "number of entries",
        "tried_at": "when the job ran",
        "behind_since": "when the job ran",
        "error": "kind of an error",
        "finding": "one sentence on sizes of the log",
    }

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")

    def __str__(self) -> str:
        return self.name


class Verification(models.Model):
    """The result of one verification of the log, or of a stretch of it. Kept as long as the log.

    It began at the place `first_index`; `held_size` is the size of the last checkpoint that it found to hold.
    """

    class Kind(models.TextChoices):
        FULL = "full", _("the whole log")
        SINCE_LAST = "since_last", _("what is new")
        MONTH = "month", _("one month")

    class Result(models.TextChoices):
        OK = "ok", _("holds")
        FAILED = "failed", _("does not hold")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"))
    kind = models.CharField(_("verified"), max_length=10, choices=Kind, default=Kind.FULL)
    first_index = models.BigIntegerField(_("first place"), default=0)
    held_size = models.BigIntegerField(_("holds up to"), default=0)
    entries = models.BigIntegerField(_("entries verified"))
    erased = models.BigIntegerField(_("of which erased"))
    retired = models.BigIntegerField(_("of which retired"), default=0)
    checkpoints = models.IntegerField(_("checkpoints that hold"))
    result = models.CharField(_("result"), max_length=10, choices=Result)
    first_bad_entry = models.UUIDField(_("first bad entry"), null=True)
    first_bad_index = models.BigIntegerField(_("its place"), null=True)
    finding = models.TextField(_("finding"), blank=True)

    not_personal: ClassVar[dict[str, str]] = {
        "started_at": "when the job ran",
        "finished_at": "when the job ended",
        "kind": "one of three words",
        "first_index": "position in the tree",
        "held_size": "number of entries",
        "entries": "a count",
        "erased": "a count",
        "retired": "a count",
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
