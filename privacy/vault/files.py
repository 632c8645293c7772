"""Files about one person rest sealed under that person's own key, so that erasing the key erases them (PROTECT-1)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag

from privacy.declarations.categories import Scope
from privacy.vault.errors import Unreadable, VaultError
from privacy.vault.keys import DataKey, key_for_opening, key_for_sealing

CHUNK = 1024 * 1024
NONCE, TAG = 12, 16
HEAD = b"\x01"
SCOPE = Scope.ACCOUNT


def _associated_data(file_id: UUID, subject_id: UUID, number: int, is_last: bool) -> bytes:
    """Binds a chunk to its file, person and place: none can be moved, left out, repeated or cut off."""
    return b"sealed-file|" + file_id.bytes + subject_id.bytes + number.to_bytes(8, "big") + bytes([is_last])


class SealingWriter:
    """Takes plain bytes, writes version (1) | key id (16) | chunks of nonce (12), ciphertext and tag (16).

    Holds at most one chunk in memory and no plain byte anywhere else. Without ``close()`` the file does not open.
    Raises KeyDestroyed for an erased person.
    """

    def __init__(self, out: BinaryIO, *, file_id: UUID, subject_id: UUID, scope: Scope = SCOPE) -> None:
        self._out, self._file_id, self._subject_id = out, file_id, subject_id
        self._key = key_for_sealing(subject_id, scope)
        self._buffer = bytearray()
        self._number = 0
        self.size = 0
        out.write(HEAD + self._key.id.bytes)

    def write(self, plain: bytes) -> int:
        self._buffer += plain
        self.size += len(plain)
        while len(self._buffer) > CHUNK:
            self._seal(bytes(self._buffer[:CHUNK]), is_last=False)
            del self._buffer[:CHUNK]
        return len(plain)

    def flush(self) -> None:
        """Nothing to do: a chunk is written when it is full."""

    def close(self) -> None:
        self._seal(bytes(self._buffer), is_last=True)
        self._buffer.clear()

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        nonce = os.urandom(NONCE)
        data = _associated_data(self._file_id, self._subject_id, self._number, is_last)
        self._out.write(nonce + self._key.cipher.encrypt(nonce, chunk, data))
        self._number += 1


def open_file(source: BinaryIO, *, file_id: UUID, subject_id: UUID, scope: Scope = SCOPE) -> Iterator[bytes]:
    """The plain bytes, chunk by chunk, each checked before it is handed out. Closes ``source`` at the end.

    The key is fetched now, so that the chunks can be read after the request's transaction. Raises KeyDestroyed
    after an erasure, Unreadable for a file that is damaged, cut off, or another person's.
    """
    try:
        key = key_for_opening(subject_id, scope)
        if source.read(len(HEAD) + 16) != HEAD + key.id.bytes:
            raise Unreadable("the file cannot be read")
    except VaultError:
        source.close()
        raise
    return _chunks(source, key, file_id, subject_id)


def _chunks(source: BinaryIO, key: DataKey, file_id: UUID, subject_id: UUID) -> Iterator[bytes]:
    with source:
        number, sealed = 0, source.read(NONCE + CHUNK + TAG)
        while sealed:
            following = source.read(NONCE + CHUNK + TAG)
            data = _associated_data(file_id, subject_id, number, not following)
            try:
                yield key.cipher.decrypt(sealed[:NONCE], sealed[NONCE:], data)
            except (InvalidTag, ValueError) as error:
                raise Unreadable("the file cannot be read") from error
            number, sealed = number + 1, following
        if number == 0:
            raise Unreadable("the file cannot be read")
