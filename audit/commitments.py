"""Keeps USE-3 and RIGHTS-3: the tree holds keyed commitments, so that erasing a person breaks no proof.

A leaf is 65 bytes: the version 0x01, the entry's id (16), the key's mark (16) and the commitment (32).
The commitment is HMAC-SHA-256 of the entry's content under the log key of the person concerned. The
mark binds the key without naming it: whoever points a leaf at another key, to make a changed entry
pass for an erased one, changes the leaf. Content is canonical JSON (RFC 8785), made here or, byte for
byte the same, by the database.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from audit.models import Entry

VERSION = b"\x01"
_DOMAIN = b"audit entry 1\n"
NOBODY = bytes(16)  # in place of a person's or a key's id: the entry is committed under the house's key

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))

_IDS = ("actor_id", "case_id", "id", "object_id", "request_id", "subject_id")
_TOKENS = ("actor_name", "actor_role", "case_label", "event", "object_label", "outcome", "purpose")
_LISTS = ("categories", "fields")
_UTC = """to_char(at AT TIME ZONE INTERVAL '0', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


class KeySource(Protocol):
    """Where the log keys are: in the vault, which is a layer above."""

    def log_keys(self, subject_ids: set[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
        """Return (key id, key) by person; make the keys that are missing, leave out people whose key is destroyed."""
        ...

    def known_keys(self, key_ids: set[UUID]) -> dict[UUID, bytes]:
        """Return the keys that exist, by key id."""
        ...

    def destroyed_keys(self, key_ids: set[UUID]) -> set[UUID]:
        """Return which of these keys an erasure destroyed."""
        ...


class NoKeys:
    """The source before any is registered: every leaf is committed under settings.COMMITMENT_KEY."""

    def log_keys(self, subject_ids: set[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
        return {}

    def known_keys(self, key_ids: set[UUID]) -> dict[UUID, bytes]:
        return {}

    def destroyed_keys(self, key_ids: set[UUID]) -> set[UUID]:
        return set()


_source: KeySource = NoKeys()


def register_key_source(source: KeySource) -> KeySource:
    """Take the log keys from here from now on; returns the source that was used before."""
    global _source
    before, _source = _source, source
    return before


def key_source() -> KeySource:
    return _source


def house_key() -> bytes:
    """The key of entries that concern nobody, or somebody whose own key is gone."""
    return bytes(settings.COMMITMENT_KEY)


def content_of(entry: Entry) -> str:
    """The entry as canonical JSON: every column; ids and transaction as text, "" for none; the moment in UTC."""
    content: dict[str, Any] = {name: getattr(entry, name) for name in (*_TOKENS, *_LISTS, "db_role")}
    content |= {name: str(getattr(entry, name) or "") for name in _IDS}
    content |= {"at": _moment(entry.at), "transaction": str(entry.transaction)}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def content_sql() -> str:
    """An SQL expression over audit_entry that gives the same text as `content_of`.

    Tokens are not escaped, for `record` lets nothing in that would need it; a tampered row cannot
    imitate another, since each member's name stands exactly once in what was committed.
    """
    strings = {name: name for name in _IDS + _TOKENS} | {"at": _UTC, "transaction": "transaction"}
    values = {name: (sql, '"') for name, sql in strings.items()}
    values |= {name: (f"to_json({name})", "") for name in (*_LISTS, "db_role")}
    arguments, before = [], "{"
    for name, (sql, quote) in sorted(values.items()):
        arguments += [f"""'{before}"{name}":{quote}'""", sql]
        before = f"{quote},"
    return f"concat({', '.join(arguments)}, '{quote}}}')"


class CommitmentKey:
    """A log key made ready for many entries; prints nothing of itself.

    HMAC (RFC 2104) from its two hashes, begun once for each key: hmac.digest begins them anew with each message and
    takes twice as long.
    """

    __slots__ = ("_inner", "_outer", "id")

    def __init__(self, id: bytes, secret: bytes) -> None:
        block = secret.ljust(64, b"\0")
        self.id = id
        self._inner = sha256(block.translate(_INNER) + _DOMAIN)
        self._outer = sha256(block.translate(_OUTER))

    def commit(self, content: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(content)
        outer.update(inner.digest())
        return outer.digest()


class KeysAtHand:
    """Keys made ready, by a person's or a key's id as 16 bytes; NOBODY has the house's.

    Apart from the vault's own cache, so that reading the whole log drives no key out of it. At most SIZE of them, and
    none for longer than SECONDS: then a key that was destroyed meanwhile is gone from here, too.
    """

    SIZE = 10_000
    SECONDS = 30.0

    def __init__(self, look_up: Callable[[set[UUID]], Iterable[tuple[UUID, UUID, bytes]]]) -> None:
        """`look_up` gives (what was asked for, key id, key) of each that exists."""
        self._look_up = look_up
        self._forget()

    def of(self, ids: Iterable[bytes]) -> dict[bytes, CommitmentKey]:
        """The keys of these, as far as they exist, and perhaps others; at most one look-up."""
        if monotonic() - self._since > self.SECONDS:
            self._forget()
        if missing := set(ids) - self._keys.keys():
            if len(self._keys) + len(missing) > self.SIZE:
                self._forget()
                missing = set(ids) - self._keys.keys()
            for asked, key_id, secret in self._look_up({UUID(bytes=id) for id in missing}):
                self._keys[asked.bytes] = CommitmentKey(key_id.bytes, secret)
        return self._keys

    def _forget(self) -> None:
        self._since = monotonic()
        self._keys = {NOBODY: CommitmentKey(NOBODY, house_key())}


def commitment(content: str, key: bytes) -> bytes:
    return hmac.digest(key, _DOMAIN + content.encode(), "sha256")


def leaf_bytes(entry_id: bytes, key_id: bytes | None, committed: bytes) -> bytes:
    """The leaf that goes into the tree; ids as their 16 bytes."""
    mark = NOBODY if key_id is None else sha256(key_id + entry_id).digest()[:16]
    return VERSION + entry_id + mark + committed


def leaf_hashes(entry_ids: Sequence[bytes], key_ids: Iterable[bytes], commitments: Iterable[bytes]) -> list[bytes]:
    """The hashes in the tree of many leaves, NOBODY for the key id of the house's."""
    pairs = zip(entry_ids, key_ids, strict=True)
    marks = [NOBODY if key_id == NOBODY else sha256(key_id + entry_id).digest()[:16] for entry_id, key_id in pairs]
    leaves = zip(entry_ids, marks, commitments, strict=True)
    return [sha256(b"\x00" + VERSION + entry_id + mark + committed).digest() for entry_id, mark, committed in leaves]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
