"""A personal value as the program holds it: closed, and printing as its mask (PROTECT-1, PROTECT-4)."""

from __future__ import annotations

import base64
from binascii import a2b_base64
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag

from privacy.vault.errors import SealedValueMisused, Unreadable
from privacy.vault.key_cache import TOKEN_VERSION, find_key
from privacy.vault.keys import DataKey, fresh_nonce, key_for_opening, key_for_sealing, key_named

if TYPE_CHECKING:
    from privacy.vault.fields import SealedField

Row = tuple[UUID, UUID, bytes]  # row id, subject id, and both as the bytes that tokens are bound to

HEAD_END = 17
NONCE_END = 29
NONCE, SECRET = slice(HEAD_END, NONCE_END), slice(NONCE_END, None)  # made once: used for every value
DUMP_PREFIX = "sealed:"
HEAD_IS_BOUND = {b"\x01": False, TOKEN_VERSION: True}  # the versions of tokens that open


class Sealed:
    """A stored token, or a draft that is not stored yet. Prints as its mask, always; only a grant opens it.

    Two sealed values are equal only when they are the same stored token: comparing contents would open them. One with
    neither token nor draft stands in a loaded record for a token that nobody has asked for yet.
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

    def __bool__(self) -> bool:
        """Always: whether the text is empty is something that only a grant tells."""
        return True

    def _refuse(self, *others: object) -> NoReturn:
        raise SealedValueMisused(f"{self.field.path} is sealed: open it under a grant and use the text")

    # No __iter__: HttpResponse would join the letters of whatever has one.
    __add__ = __radd__ = __mod__ = __mul__ = __contains__ = __getitem__ = __len__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __bytes__ = __int__ = __float__ = __json__ = _refuse

    def __reduce__(self) -> NoReturn:
        raise SealedValueMisused(f"{self.field.path} is sealed and cannot be pickled or copied out of its row")

    @property  # type: ignore[misc]
    def __class__(self) -> type[Sealed]:
        """Encoders refuse what they do not know by the name of its class: this one says which field it was."""
        return _named_after(self.field.path)

    def __copy__(self) -> Sealed:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Sealed:
        return self

    @property
    def is_stored(self) -> bool:
        return self._token is not None

    @property
    def token(self) -> bytes:
        """As stored. A loaded row holds it in base64 until somebody needs it."""
        token = self._token
        return a2b_base64(token) if type(token) is str else bytes(token)

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


@cache
def _named_after(path: str) -> type[Sealed]:
    return type(f"Sealed {path}", (Sealed,), {"__slots__": ()})


def make_row(row_id: UUID, subject_id: UUID) -> Row:
    """What tokens are bound to besides model and field, made once for all values of a row."""
    return row_id, subject_id, row_id.bytes + subject_id.bytes


def seal(field: SealedField, value: str, row: Row) -> bytes:
    """version (1) | key id (16) | nonce (12) | AES-256-GCM ciphertext and tag.

    The associated data is version, key id, model, field, row and subject: moved anywhere else a token does not open.
    """
    key = find_key((row[1].int, field.scope))
    if key is None or key.expires <= monotonic():
        key = key_for_sealing(row[1], field.scope)
    nonce = fresh_nonce(key)
    try:
        plain = value.encode()
    except UnicodeEncodeError:
        # From None: the original error carries the whole text.
        raise SealedValueMisused(f"{field.path}: the text is no valid Unicode") from None
    head = key.head
    return head + nonce + key.encrypt(nonce, plain, head + field.associated_prefix + row[2])


def unseal(value: Sealed) -> str:
    """The plain value. For the gate alone (``privacy.access``): it checks and records, this does not.

    Raises Unreadable for a damaged or moved token, KeyDestroyed after an erasure.
    """
    if value._draft is not None:
        return value._draft
    field, token, row = value.field, value._token, value._row
    if type(token) is str:
        token = a2b_base64(token)
    elif type(token) is not bytes:
        token = value.token
    if row is None:
        raise SealedValueMisused(f"{field.path} was read without its row (values(), defer); read the record")
    key = find_key((row[1].int, field.scope))
    if key is None or key.expires <= monotonic():
        key = key_for_opening(row[1], field.scope)
    head = key.head
    if not token.startswith(head):
        key, head = _key_and_head(field, token, row, key)
    try:
        return key.decrypt(token[NONCE], token[SECRET], head + field.associated_prefix + row[2]).decode()
    except (InvalidTag, ValueError) as error:
        raise Unreadable(f"{field.path} cannot be read") from error


def _key_and_head(field: SealedField, token: bytes, row: Row, current: DataKey) -> tuple[DataKey, bytes]:
    """Another key of the same person, and what a token of this version binds of its own head.

    The first version bound nothing of it. Raises Unreadable for anything that this program never wrote.
    """
    version, id = token[:1], token[1:HEAD_END]
    if version not in HEAD_IS_BOUND or len(token) < NONCE_END:
        raise Unreadable(f"{field.path} cannot be read")
    try:
        key = current if id == current.id.bytes else key_named(id, row[1], field.scope)
    except Unreadable as error:
        raise Unreadable(f"{field.path} cannot be read") from error
    return key, token[:HEAD_END] if HEAD_IS_BOUND[version] else b""


def resealed(value: Sealed) -> bytes | None:
    """The token of the same value under the person's current key, None when it lies there already. Raises as ``unseal``."""
    assert value._row is not None  # noqa: S101 - rows alone are sealed anew
    key = key_for_sealing(value._row[1], value.field.scope)
    return None if value.token.startswith(key.head) else seal(value.field, unseal(value), value._row)
