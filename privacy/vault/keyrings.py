"""Key-encryption keys wrap the data keys and never stand in a database (PROTECT-1)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.module_loading import import_string

from privacy.vault.errors import Unreadable

NONCE_BYTES = 12
NOBODY = UUID(int=0)

RINGS = {"local": "privacy.vault.keyrings.LocalKeyRing", "kms": "privacy.vault.kms.KmsKeyRing"}


@dataclass(frozen=True, slots=True)
class Label:
    """What a wrapped key is bound to: it unwraps under the same label alone."""

    kind: str
    id: UUID
    subject_id: UUID = NOBODY
    scope: str = ""

    def as_bytes(self) -> bytes:
        return self.kind.encode() + b"|" + self.id.bytes + self.subject_id.bytes + self.scope.encode()


class KeyRing(Protocol):
    """Wraps and unwraps 32-byte keys; it never sees data."""

    @classmethod
    def from_settings(cls) -> Self:
        """The ring that the settings describe."""

    @property
    def version(self) -> int:
        """The version that ``wrap`` uses now."""

    def wrap(self, key: bytes, label: Label) -> bytes:
        """Raises VaultUnavailable when the ring does not answer."""

    def unwrap(self, wrapped: bytes, label: Label, version: int) -> bytes:
        """The key. Raises Unreadable for a wrap that is damaged, bound to another label or of an unknown version,
        VaultUnavailable when the ring does not answer."""


class LocalKeyRing:
    """Key-encryption keys held by the process: version to 32 bytes; the highest version is current."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self.version = max(keys)

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.KEY_ENCRYPTION_KEYS)

    def wrap(self, key: bytes, label: Label) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[self.version].encrypt(nonce, key, label.as_bytes())

    def unwrap(self, wrapped: bytes, label: Label, version: int) -> bytes:
        if version not in self._ciphers:
            raise Unreadable(f"key-encryption key version {version} is not configured")
        try:
            return self._ciphers[version].decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], label.as_bytes())
        except (InvalidTag, ValueError) as error:
            raise Unreadable("a wrapped key is damaged or belongs to somebody else") from error


@lru_cache(maxsize=1)
def key_ring() -> KeyRing:
    """The ring that KEY_RING names: "local", "kms", or the dotted path of another class."""
    ring: type[KeyRing] = import_string(RINGS.get(settings.KEY_RING, settings.KEY_RING))
    return ring.from_settings()
