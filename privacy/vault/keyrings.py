"""Key-encryption keys wrap the data keys and never stand in a database (PROTECT-1)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from privacy.vault.errors import VaultError

NONCE_BYTES = 12


class KeyRing(Protocol):
    """Wraps and unwraps 32-byte data keys; ``context`` is bound to the result and must be given again."""

    @property
    def version(self) -> int:
        """The version that ``wrap`` uses now."""

    def wrap(self, key: bytes, context: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: bytes, version: int) -> bytes: ...


class LocalKeyRing:
    """Key-encryption keys held by the process: version to 32 bytes; the highest version is current."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self.version = max(keys)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[self.version].encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes, version: int) -> bytes:
        """The data key. Raises VaultError for an unknown version or a wrap that was tampered with."""
        if version not in self._ciphers:
            raise VaultError(f"key-encryption key version {version} is not configured")
        try:
            return self._ciphers[version].decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except InvalidTag as error:
            raise VaultError("a wrapped key is damaged or belongs to somebody else") from error


@lru_cache(maxsize=1)
def key_ring() -> KeyRing:
    return LocalKeyRing(settings.KEY_ENCRYPTION_KEYS)
