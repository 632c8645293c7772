"""A personal value as the program holds it: closed, and printing as its mask (PROTECT-1, PROTECT-4)."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag

from privacy.vault.errors import SealedValueMisused, Unreadable
from privacy.vault.keys import key_for_opening, key_for_sealing

if TYPE_CHECKING:
    from privacy.vault.fields import SealedField

VERSION = b"\x01"
KEY_ID_END = 17
NONCE_END = 29
DUMP_PREFIX = "sealed:"


class Sealed:
    """A stored token, or a draft that is not stored yet. Prints as its mask, always; only a grant opens it.

    Two sealed values are equal only when they are the same stored token: comparing contents would open them.
    """

    __slots__ = ("field", "_token", "_draft", "_row_id", "_subject_id")

    def __init__(
        self, field: SealedField, *, token: Any = None, draft: str | None = None
    ) -> None:
        self.field = field
        self._token = token
        self._draft = draft
        self._row_id: UUID | None = None
        self._subject_id: UUID | None = None

    def __str__(self) -> str:
        return self.field.mask

    def __repr__(self) -> str:
        return f"<Sealed {self.field.path}>"

    def __format__(self, spec: str) -> str:
        return format(self.field.mask, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sealed):
            return NotImplemented
        return self is other or (
            self.is_stored and other.is_stored and self.token == other.token
        )

    def __hash__(self) -> int:
        return hash(self.token) if self.is_stored else id(self)

    def __reduce__(self) -> NoReturn:
        raise SealedValueMisused(
            f"{self.field.path} is sealed and cannot be pickled or copied out of its row"
        )

    def __copy__(self) -> Sealed:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Sealed:
        return self

    @property
    def is_stored(self) -> bool:
        return self._token is not None

    @property
    def token(self) -> bytes:
        return bytes(self._token)

    @property
    def row(self) -> tuple[UUID | None, UUID | None]:
        """(row id, subject id) of the row that this value was read from; (None, None) outside a row."""
        return self._row_id, self._subject_id

    def bind(self, row_id: UUID, subject_id: UUID) -> None:
        self._row_id, self._subject_id = row_id, subject_id

    def dump(self) -> str:
        """The token as text for fixtures; it opens only in the same row of the same person."""
        return DUMP_PREFIX + base64.b64encode(self.token).decode("ascii")


def associated_data(field: SealedField, row_id: UUID, subject_id: UUID) -> bytes:
    """Binds a token to model, field, row and subject: moved anywhere else it does not open."""
    return field.associated_prefix + row_id.bytes + subject_id.bytes


def seal(field: SealedField, value: str, row_id: UUID, subject_id: UUID) -> bytes:
    """version (1) | key id (16) | nonce (12) | AES-256-GCM ciphertext and tag."""
    key = key_for_sealing(subject_id, field.scope)
    nonce = os.urandom(12)
    sealed = key.cipher.encrypt(nonce, _encoded(field, value), associated_data(field, row_id, subject_id))
    return VERSION + key.id.bytes + nonce + sealed


def _encoded(field: SealedField, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        # From None: the original error carries the whole text.
        raise SealedValueMisused(f"{field.path}: the text is no valid Unicode") from None


def unseal(value: Sealed) -> str:
    """The plain value. For the gate alone (``privacy.access``): it checks and records, this does not.

    Raises Unreadable for a damaged or moved token, KeyDestroyed after an erasure.
    """
    if value._draft is not None:
        return value._draft
    row_id, subject_id = value.row
    if row_id is None or subject_id is None:
        raise SealedValueMisused(
            f"{value.field.path} was read without its row (values(), defer); read the record"
        )
    token = value.token
    key = key_for_opening(subject_id, value.field.scope)
    if token[:1] != VERSION or token[1:KEY_ID_END] != key.id.bytes:
        raise Unreadable(f"{value.field.path} cannot be read")
    data = associated_data(value.field, row_id, subject_id)
    try:
        return key.cipher.decrypt(
            token[KEY_ID_END:NONCE_END], token[NONCE_END:], data
        ).decode()
    except (InvalidTag, ValueError) as error:
        raise Unreadable(f"{value.field.path} cannot be read") from error
