"""A personal value as the program holds it: closed, and printing as its mask (PROTECT-1, PROTECT-4)."""

from __future__ import annotations

import base64
from os import urandom
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag

from privacy.vault.errors import SealedValueMisused, Unreadable
from privacy.vault.keys import cached_key, key_for_opening, key_for_sealing

if TYPE_CHECKING:
    from privacy.vault.fields import SealedField

Row = tuple[UUID, UUID, bytes]  # row id, subject id, and both as the bytes that tokens are bound to

HEAD_END = 17
NONCE_END = 29
DUMP_PREFIX = "sealed:"


class Sealed:
    """A stored token, or a draft that is not stored yet. Prints as its mask, always; only a grant opens it.

    Two sealed values are equal only when they are the same stored token: comparing contents would open them.
    """

    __slots__ = ("_draft", "_row", "_token", "field")

    def __init__(self, field: SealedField, token: Any = None, row: Row | None = None, draft: str | None = None) -> None:
        self.field = field
        self._token = token
        self._row = row
        self._draft = draft

    def __str__(self) -> str:
        return self.field.mask

    def __repr__(self) -> str:
        return f"<Sealed {self.field.path}>"

    def __format__(self, spec: str) -> str:
        return format(self.field.mask, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sealed):
            return NotImplemented
        return self is other or (self.is_stored and other.is_stored and self.token == other.token)

    def __hash__(self) -> int:
        return hash(self.token) if self.is_stored else id(self)

    def __reduce__(self) -> NoReturn:
        raise SealedValueMisused(f"{self.field.path} is sealed and cannot be pickled or copied out of its row")

    def __copy__(self) -> Sealed:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Sealed:
        return self

    @property
    def is_stored(self) -> bool:
        return self._token is not None

    @property
    def token(self) -> bytes:
        """As stored. A loaded row holds it as hexadecimal text until somebody needs it."""
        token = self._token
        return bytes.fromhex(token) if type(token) is str else bytes(token)

    @property
    def row(self) -> tuple[UUID | None, UUID | None]:
        """(row id, subject id) of the row that this value was read from; (None, None) outside a row."""
        return self._row[:2] if self._row else (None, None)

    @property
    def subject_id(self) -> UUID | None:
        return self._row[1] if self._row else None

    def bind(self, row: Row) -> None:
        """``row`` as made by ``make_row``."""
        self._row = row

    def dump(self) -> str:
        """The token as text for fixtures; it opens only in the same row of the same person."""
        return DUMP_PREFIX + base64.b64encode(self.token).decode("ascii")


def make_row(row_id: UUID, subject_id: UUID) -> Row:
    """What tokens are bound to besides model and field, made once for all values of a row."""
    return row_id, subject_id, row_id.bytes + subject_id.bytes


def seal(field: SealedField, value: str, row: Row) -> bytes:
    """version (1) | key id (16) | nonce (12) | AES-256-GCM ciphertext and tag.

    The associated data is model, field, row and subject: moved anywhere else a token does not open.
    """
    key = cached_key(row[1], field.scope) or key_for_sealing(row[1], field.scope)
    nonce = urandom(12)
    try:
        plain = value.encode()
    except UnicodeEncodeError:
        # From None: the original error carries the whole text.
        raise SealedValueMisused(f"{field.path}: the text is no valid Unicode") from None
    return key.head + nonce + key.encrypt(nonce, plain, field.associated_prefix + row[2])


def unseal(value: Sealed) -> str:
    """The plain value. For the gate alone (``privacy.access``): it checks and records, this does not.

    Raises Unreadable for a damaged or moved token, KeyDestroyed after an erasure.
    """
    if value._draft is not None:
        return value._draft
    field, token, row = value.field, value._token, value._row
    if type(token) is not bytes:
        token = value.token
    if row is None:
        raise SealedValueMisused(f"{field.path} was read without its row (values(), defer); read the record")
    key = cached_key(row[1], field.scope) or key_for_opening(row[1], field.scope)
    if not token.startswith(key.head):
        raise Unreadable(f"{field.path} cannot be read")
    try:
        return key.decrypt(token[HEAD_END:NONCE_END], token[NONCE_END:], field.associated_prefix + row[2]).decode()
    except (InvalidTag, ValueError) as error:
        raise Unreadable(f"{field.path} cannot be read") from error
