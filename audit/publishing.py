"""Keeps USE-3: checkpoints leave the machine, to places that notice when the log goes back or tells two stories.

Places are those of settings.AUDIT_PUBLISH, beside the directory that `audit.checkpoints` always keeps:
`file:///folder`, `s3://bucket/prefix` (any object storage of that protocol; credentials and endpoint from the
environment, as boto3 reads them), and `https://address#VKEY` of a witness (C2SP tlog-witness).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urldefrag, urlsplit

import requests
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from audit.checkpoints import check_row, keep_in, newest_checkpoint, newest_in, read_checkpoint, read_kept, verifier_keys
from audit.errors import AuditError, CheckpointBroken, InvalidNote, LogRolledBack, PlaceSilent
from audit.models import Checkpoint, Cosignature, Publication
from audit.notes import CheckpointText, VerifierKey, encode, signature_line, text_of
from audit.proofs import TreePart, consistency_proof
from audit.tree import EMPTY_ROOT

PUBLISHED_WITHIN = timedelta(minutes=15)

_LOCK = 0x41554449_505542  # "AUDI" "PUB": one publishing at a time
_TIMEOUT = 10  # seconds
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LARGEST_ANSWER = 100_000


class Contradiction(AuditError):
    """A place holds a checkpoint that we signed and that this log does not have: it was rolled back, or split."""


class Refused(AuditError):
    """A place did not take a checkpoint."""


@dataclass(frozen=True, slots=True)
class OutsideHealth:
    """How many places there are, and how many of them are late or contradict the log."""

    places: int
    late: int
    contradicting: int

    @property
    def ok(self) -> bool:
        return not self.late and not self.contradicting


class Place(Protocol):
    """Somewhere outside that keeps our checkpoints."""

    @property
    def name(self) -> str: ...

    def take(self, newest: Checkpoint, known_size: int) -> None:
        """Make the place hold this checkpoint. Raises Contradiction, Refused, or what its connection raises.

        `known_size` is the size of the last one that it took from us.
        """
        ...

    def newest(self) -> CheckpointText | None:
        """What it holds of this log, None for nothing. Raises Contradiction, Refused, or what its connection raises."""
        ...


def places() -> list[Place]:
    """The places of the settings. Raises ImproperlyConfigured when one is none."""
    return [_place(address) for address in settings.AUDIT_PUBLISH]


def publish_newest() -> None:
    """Bring every place up to date and note how it went. What one place does keeps no other waiting for long.

    Runs again and again: a place that did not answer gets the newest checkpoint the next time.
    """
    newest = newest_checkpoint()
    if newest is None or not settings.AUDIT_PUBLISH:
        return
    check_row(newest, verifier_keys())  # never send on what we did not sign
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return
    try:
        for place in places():
            _bring_up_to_date(place, newest)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def ask_places(newest: Checkpoint | None) -> None:
    """What settles a start without the directory outside the database: every place holds a beginning of this log.

    Outside of a transaction. Raises LogRolledBack for one that holds another or a later state, PlaceSilent for one that
    cannot be asked, or shows nothing although it took checkpoints.
    """
    took = dict(Publication.objects.filter(size__gt=0).values_list("name", "size"))
    for place in places():
        try:
            there = place.newest()
            _compare(there, newest.size if newest else 0, f"in {place.name}")
        except Contradiction as contradiction:
            raise LogRolledBack(str(contradiction)) from contradiction
        except Exception as failed:
            raise PlaceSilent(f"{place.name} cannot be asked for its newest checkpoint: {type(failed).__name__}") from failed
        if there is None and place.name in took:
            raise PlaceSilent(f"{place.name} took a checkpoint of {took[place.name]} entries and shows none")


def publications() -> list[Publication]:
    """How far each place of the settings is; one that was never tried is not among them. One query."""
    return list(Publication.objects.filter(name__in=[place.name for place in places()]).order_by("name"))


def outside_health() -> OutsideHealth:
    """Look at all places in one query. Late is who has not had the newest checkpoint for PUBLISHED_WITHIN."""
    now, known = timezone.now(), publications()
    late = sum(now - (each.behind_since or each.tried_at) > PUBLISHED_WITHIN for each in known)
    return OutsideHealth(len(settings.AUDIT_PUBLISH), late, sum(bool(each.finding) for each in known))


def _bring_up_to_date(place: Place, newest: Checkpoint) -> None:
    known = Publication.objects.filter(name=place.name).first() or Publication(name=place.name)
    known.tried_at, error, finding = timezone.now(), "", ""
    try:
        place.take(newest, known.size)
    except Contradiction as contradiction:
        error, finding = "Contradiction", str(contradiction)
    except Refused as refused:
        error = str(refused)[:80]
    except Exception as failed:  # whatever a place far away does, the others get their checkpoint
        error = type(failed).__name__[:80]
    else:
        known.size = newest.size
    known.behind_since = (known.behind_since or known.tried_at) if error else None
    known.error, known.finding = error, finding
    with transaction.atomic():
        known.save()


def _compare(there: CheckpointText | None, size: int, where: str) -> None:
    """Raise Contradiction unless what a place holds is a beginning of this log, which has `size` entries."""
    if there is None:
        return
    if there.size > size:
        raise Contradiction(f"rolled back: {where} the log has {there.size} entries, here {size}")
    if _root_at(there.size, size) != there.root:
        raise Contradiction(f"split view: {where} the log of {there.size} entries has another root, so an older state went on")


def _root_at(size: int, newest_size: int) -> bytes:
    if size == 0:
        return EMPTY_ROOT
    part = TreePart(newest_size)
    part.want(0, size)
    part.fetch()
    return part.root(0, size)


# Directories and object storage: the newest checkpoint, and the last one of each day.


@dataclass(frozen=True)
class Directory:
    name: str
    path: Path

    def take(self, newest: Checkpoint, known_size: int) -> None:
        _compare(self.newest(), newest.size, f"in {self.name}")
        keep_in(self.path, newest.note)

    def newest(self) -> CheckpointText | None:
        return _unless_broken(lambda: newest_in(self.path), f"in {self.name}")


@dataclass(frozen=True)
class ObjectStorage:
    """Turn versions and object lock on for the bucket: then nobody who has our credentials takes one back."""

    name: str
    bucket: str
    prefix: str

    def take(self, newest: Checkpoint, known_size: int) -> None:
        there = self.newest()
        _compare(there, newest.size, f"in {self.name}")
        if there is None or there.size < newest.size:
            storage = self._storage()
            for name in (f"days/{datetime.now(UTC).date().isoformat()}", "checkpoint"):
                storage.save(name, ContentFile(newest.note.encode()))

    def newest(self) -> CheckpointText | None:
        storage = self._storage()
        if not storage.exists("checkpoint"):
            return None
        with storage.open("checkpoint") as file:
            data = file.read(_LARGEST_ANSWER)
        return _unless_broken(lambda: read_kept(data, "checkpoint"), f"in {self.name}")

    def _storage(self) -> Any:
        from storages.backends.s3 import S3Storage

        return S3Storage(bucket_name=self.bucket, location=self.prefix, file_overwrite=True, default_acl=None, querystring_auth=False)


def _unless_broken(read: Callable[[], CheckpointText | None], where: str) -> CheckpointText | None:
    try:
        return read()
    except CheckpointBroken as error:
        raise Contradiction(f"{where}: {error}") from error


# Witnesses


class Answer(NamedTuple):
    status: int
    text: str


@dataclass(frozen=True)
class Witness:
    """Remembers the newest checkpoint of many logs and cosigns the next only if it continues the one before."""

    name: str
    address: str
    key: VerifierKey

    def take(self, newest: Checkpoint, known_size: int) -> None:
        if Cosignature.objects.filter(size=newest.size, witness=self.key.name).exists():
            return
        answer = self._ask(known_size if known_size <= newest.size else 0, newest)
        if answer.status == 409:
            size = self._known_size(answer)
            if size > newest.size:
                self._prove_rolled_back(size, newest)
            answer = self._ask(size, newest)
        if answer.status == 422:
            self._prove_split(newest)
        if answer.status != 200:
            raise Refused(f"the witness answered {answer.status}")
        self._keep(answer.text, newest)

    def _ask(self, old_size: int, newest: Checkpoint) -> Answer:
        proof = consistency_proof(old_size, newest.size) if old_size else []
        lines = [f"old {old_size}", *(encode(each) for each in proof), "", newest.note]
        return self._call("POST", "add-checkpoint", data="\n".join(lines).encode())

    def _known_size(self, answer: Answer) -> int:
        if not answer.text[:-1].isdecimal() or not answer.text.isascii() or len(answer.text) > 20:
            raise Refused("the witness does not say which size it knows")
        return int(answer.text)

    def _prove_rolled_back(self, size: int, newest: Checkpoint) -> None:
        """The witness's word alone does not stop a log; our own signature below what it saw does."""
        _compare(self.newest(), newest.size, f"at the witness {self.key.name}")
        raise Refused(f"the witness claims {size} entries and does not show it")

    def _prove_split(self, newest: Checkpoint) -> None:
        _compare(self.newest(), newest.size, f"at the witness {self.key.name}")
        raise Refused("the witness finds the log inconsistent and does not show it")

    def newest(self) -> CheckpointText | None:
        origin = sha256(settings.AUDIT_ORIGIN.encode()).hexdigest()
        answer = self._call("GET", f"{origin}/checkpoint")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Refused(f"the witness answered {answer.status}")
        try:
            return read_checkpoint(answer.text, verifier_keys())
        except InvalidNote:
            return None

    def _keep(self, lines: str, newest: Checkpoint) -> None:
        """Only the line of the key that we know; it is checked before it is kept."""
        text = text_of(newest.note)
        try:
            for line in lines.splitlines():
                name, key_id, signature = signature_line(line)
                if (name, key_id) == (self.key.name, self.key.id):
                    self.key.check(text, signature)
                    Cosignature.objects.create(size=newest.size, witness=name, line=f"{line}\n")
                    return
        except InvalidNote as error:
            raise Refused("the witness's signature is wrong") from error
        raise Refused("the witness did not sign with the key that we know")

    def _call(self, method: str, path: str, data: bytes | None = None) -> Answer:
        """Nothing but a short text is read, from this address alone."""
        address = f"{self.address}/{path}"
        headers = {"Accept-Encoding": "identity"}
        with requests.request(method, address, data=data, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True) as answer:
            return Answer(answer.status_code, answer.raw.read(_LARGEST_ANSWER).decode(errors="replace"))


def _place(address: str) -> Place:
    parts = urlsplit(address)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return Directory(address, Path(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        return ObjectStorage(address, parts.netloc, parts.path.strip("/"))
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return _witness(address)
    raise ImproperlyConfigured("AUDIT_PUBLISH takes file:///folder, s3://bucket/prefix and https://witness#VKEY")


def _witness(address: str) -> Witness:
    base, vkey = urldefrag(address)
    try:
        key = VerifierKey.parse(vkey)
    except InvalidNote as error:
        raise ImproperlyConfigured("a witness in AUDIT_PUBLISH ends with # and the witness's key") from error
    if not key.is_witness:
        raise ImproperlyConfigured("the key of a witness in AUDIT_PUBLISH is not that of a witness")
    return Witness(base.rstrip("/"), base.rstrip("/"), key)
