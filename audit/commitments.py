"""Keeps USE-3 and RIGHTS-3: the tree holds keyed commitments, so that erasing a person breaks no proof.

A leaf is 65 bytes: the version 0x01, the entry's id (16), the key's mark (16) and the commitment (32).
The commitment is HMAC-SHA-256 of the entry's content under the log key of the person concerned. The
mark binds the key without naming it: whoever points a leaf at another key, to make a changed entry
pass for an erased one, changes the leaf. Content is canonical JSON (RFC 8785), made here or, byte for
byte the same, by the database.
"""

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from audit.models import Entry

VERSION = b"\x01"
_DOMAIN = b"audit entry 1\n"
_NO_KEY = bytes(16)

_IDS = ("actor_id", "case_id", "id", "object_id", "request_id", "subject_id")
_TOKENS = ("actor_name", "actor_role", "case_label", "event", "object_label", "outcome", "purpose")
_LISTS = ("categories", "fields")
_UTC = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


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


def commitment(content: str, key: bytes) -> bytes:
    return hmac.digest(key, _DOMAIN + content.encode(), "sha256")


def leaf_bytes(entry_id: bytes, key_id: bytes | None, committed: bytes) -> bytes:
    """The leaf that goes into the tree; ids as their 16 bytes."""
    mark = _NO_KEY if key_id is None else sha256(key_id + entry_id).digest()[:16]
    return VERSION + entry_id + mark + committed


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
