"""Keeps USE-3: what the log says about itself is signed, in the formats that other people's tools read (C2SP).

Signed note 1.0.0 and tlog-checkpoint 1.0.0, with Ed25519 signatures (type 0x01), and tlog-cosignature 1.0.1 of
witnesses (type 0x04). Needs nothing of the site: a witness runs it alone.
"""

import re
import time
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.errors import InvalidNote
from audit.tree import HASH_SIZE

_ED25519 = b"\x01"
_COSIGNATURE = b"\x04"
_MAXIMUM_SIGNATURES = 100
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that signs notes under a name, or, with `is_witness`, cosigns them with the time."""

    name: str
    public: bytes
    is_witness: bool = False

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + self._typed).digest()[:4]

    @property
    def _typed(self) -> bytes:
        return (_COSIGNATURE if self.is_witness else _ED25519) + self.public

    def __str__(self) -> str:
        """The vkey: name, key id in hexadecimal, base64 of type and key."""
        return f"{self.name}+{self.id.hex()}+{encode(self._typed)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a vkey; raises InvalidNote when it is malformed or its id does not fit."""
        name, key_id, key = [*vkey.split("+", 2), "", ""][:3]
        data = decode(key)
        if not _is_key_name(name) or data[:1] not in (_ED25519, _COSIGNATURE) or len(data) != 1 + 32:
            raise InvalidNote("not an Ed25519 verifier key")
        parsed = cls(name, data[1:], is_witness=data[:1] == _COSIGNATURE)
        if parsed.id.hex() != key_id:
            raise InvalidNote("the key id does not fit the key")
        return parsed

    def check(self, text: str, signature: bytes) -> None:
        if self.is_witness:
            text, signature = _cosigned(text, int.from_bytes(signature[:8], "big")), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            raise InvalidNote(f"the signature of {self.name} is wrong") from None


class SigningKey:
    """A secret key, from its 32-byte seed, that signs notes under a name. Never prints the seed."""

    is_witness = False

    def __init__(self, name: str, seed: bytes) -> None:
        if not _is_key_name(name):
            raise InvalidNote("a key name is not empty and has neither spaces nor plus signs")
        self._secret = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.verifier = VerifierKey(name, public, self.is_witness)

    def sign(self, text: str) -> str:
        """Return the signed note of a text, which ends with a line break."""
        return sign_note(text, [self])

    def line(self, text: str) -> str:
        """Return the signature line alone."""
        _check_text(text)
        return f"\u2014 {self.verifier.name} {encode(self.verifier.id + self._signature(text))}\n"

    def _signature(self, text: str) -> bytes:
        return self._secret.sign(text.encode())


class CosigningKey(SigningKey):
    """The key of a witness: signs a checkpoint together with the moment."""

    is_witness = True

    def _signature(self, text: str) -> bytes:
        now = int(time.time())
        return now.to_bytes(8, "big") + self._secret.sign(_cosigned(text, now).encode())


def sign_note(text: str, keys: Iterable[SigningKey]) -> str:
    """Return the note of a text, which ends with a line break, with a signature line of each key."""
    return "\n".join([text, "".join(key.line(text) for key in keys)])


def text_of(note: str) -> str:
    """The text of a note whose signatures were checked before."""
    return note.rpartition("\n\n")[0] + "\n"


def open_note(note: str, keys: Iterable[VerifierKey]) -> str:
    """Return the signed text of a note.

    Signatures by unknown keys are ignored. Raises InvalidNote when the note is malformed, when a
    known key's signature is wrong, and when no known key signed it.
    """
    _text, separator, signatures = note.rpartition("\n\n")
    text = text_of(note)
    if not separator or not signatures.endswith("\n"):
        raise InvalidNote("a text, an empty line and signatures expected")
    _check_text(text)
    _check_text(signatures)
    lines = signatures[:-1].split("\n")
    if len(lines) > _MAXIMUM_SIGNATURES:
        raise InvalidNote("too many signatures")
    known = {(key.name, key.id): key for key in keys}
    is_signed = False
    for name, key_id, signature in map(signature_line, lines):
        if key := known.get((name, key_id)):
            key.check(text, signature)
            is_signed = True
    if not is_signed:
        raise InvalidNote("no known key signed the note")
    return text


@dataclass(frozen=True, slots=True)
class CheckpointText:
    """What a checkpoint says: this log, at this size, has this root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of an opened note; extension lines are let pass, as the format asks."""
        if not text.endswith("\n"):
            raise InvalidNote("a checkpoint ends with a line break")
        origin, size, root, *extensions = [*text[:-1].split("\n"), "", ""]
        if not origin or not _SIZE.fullmatch(size) or not all(extensions[:-2]):
            raise InvalidNote("not a checkpoint")
        parsed = cls(origin, int(size), decode(root))
        if len(parsed.root) != HASH_SIZE:
            raise InvalidNote("the root is not a SHA-256 hash")
        return parsed


def signature_line(line: str) -> tuple[str, bytes, bytes]:
    """Return the key's name, its id and the signature of a line without its line break; raises InvalidNote."""
    mark, name, encoded = [*line.split(" "), "", ""][:3]
    data = decode(encoded)
    if line.count(" ") != 2 or mark != "\u2014" or not _is_key_name(name) or len(data) < 5:
        raise InvalidNote("not a signature line")
    return name, data[:4], data[4:]


def _cosigned(text: str, moment: int) -> str:
    return f"cosignature/v1\ntime {moment}\n{text}"


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise InvalidNote("a note's text ends with a line break and has no control characters")


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def encode(data: bytes) -> str:
    return b64encode(data).decode()


def decode(text: str) -> bytes:
    """Decode base64, and refuse a second spelling of the same bytes (unused last bits, stray characters)."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise InvalidNote("not base64") from None
    if encode(data) != text:
        raise InvalidNote("not base64 in its one canonical spelling")
    return data
