"""Files about one person rest sealed under that person's own key, so that erasing the key erases them (PROTECT-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from privacy.declarations.categories import Scope
from privacy.vault.errors import KeyReplaced, Unreadable, VaultError
from privacy.vault.keys import DataKey, fresh_nonce, is_current, key_for_opening, key_for_sealing, key_named

CHUNK = 1024 * 1024
NONCE, TAG = 12, 16
HEAD = b"\x01"
HEAD_BYTES = 17
BESIDE = ".2"
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

    def require_current_key(self) -> None:
        """For files that are written outside a transaction. Raises KeyReplaced when the person got a new key meanwhile:
        the old one may be gone in a moment, so write the file again."""
        if not is_current(self._key):
            raise KeyReplaced("the key was replaced while the file was written")

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        nonce = fresh_nonce(self._key)
        data = _associated_data(self._file_id, self._subject_id, self._number, is_last)
        self._out.write(nonce + self._key.cipher.encrypt(nonce, chunk, data))
        self._number += 1


def open_file(source: BinaryIO, *, file_id: UUID, subject_id: UUID, scope: Scope = SCOPE) -> Iterator[bytes]:
    """The plain bytes, chunk by chunk, each checked before it is handed out. Closes ``source`` at the end.

    The key is fetched now, so that the chunks can be read after the request's transaction. Raises KeyDestroyed
    after an erasure, Unreadable for a file that is damaged, cut off, or another person's.
    """
    try:
        key = _key_of(source.read(HEAD_BYTES), subject_id, scope)
    except VaultError:
        source.close()
        raise
    return _chunks(source, key, file_id, subject_id)


def _key_of(head: bytes, subject_id: UUID, scope: Scope) -> DataKey:
    key = key_for_opening(subject_id, scope)
    if head == HEAD + key.id.bytes:
        return key
    if len(head) != HEAD_BYTES or not head.startswith(HEAD):
        raise Unreadable("the file cannot be read")
    return key_named(head[len(HEAD) :], subject_id, scope)


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


@dataclass(frozen=True)
class SealedFile:
    """A stored file of one person. ``rename`` enters another name in its row, inside a transaction; False if it is gone."""

    storage: Storage
    name: str
    file_id: UUID
    scope: Scope
    rename: Callable[[str], bool]


FilesOf = Callable[[UUID], Iterable[SealedFile]]
_rooms: list[FilesOf] = []


def register_sealed_files(files_of: FilesOf) -> None:
    """``files_of(subject_id)`` gives every file that a room keeps of this person, so that a new key reaches it."""
    if files_of not in _rooms:
        _rooms.append(files_of)


def sealed_files_of(subject_id: UUID) -> Iterator[SealedFile]:
    for files_of in _rooms:
        yield from files_of(subject_id)


def is_under_current_key(file: SealedFile, subject_id: UUID) -> bool:
    with file.storage.open(file.name, "rb") as source:
        return source.read(HEAD_BYTES) == HEAD + key_for_sealing(subject_id, file.scope).id.bytes


def reseal_file(file: SealedFile, subject_id: UUID) -> None:
    """Write the file again under the person's current key, beside the old one, which goes when the row names the new one.

    Killed at any line it can be repeated: what an attempt left beside has a name that the next one knows.
    """
    beside = file.name.removesuffix(BESIDE) if file.name.endswith(BESIDE) else file.name + BESIDE
    file.storage.delete(beside)
    file.storage.save(beside, ContentFile(b""))
    with file.storage.open(beside, "wb") as out:
        writer = SealingWriter(out, file_id=file.file_id, subject_id=subject_id, scope=file.scope)  # type: ignore[arg-type]
        for chunk in open_file(file.storage.open(file.name, "rb"), file_id=file.file_id, subject_id=subject_id, scope=file.scope):  # type: ignore[arg-type]
            writer.write(chunk)
        writer.close()
    file.storage.delete(file.name if file.rename(beside) else beside)
