"""Sealing and opening one value, against the library everybody would take and against the bare cipher."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.models import PeerRow, SealedRow
from benchmarks.rounds import Row, times_as_fast, times_as_long
from privacy.vault.fields import SealedField
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.sealed import Sealed, make_row, seal, unseal

VALUE = "Friedrichstraße 123, 10117 Berlin"
TIMES = 2000


def rows() -> Iterator[Row]:
    row = make_row(uuid7(), Subject.objects.create().pk)
    field: SealedField = SealedRow._meta.get_field("street")
    peer = PeerRow._meta.get_field("text")
    cipher = AESGCM(os.urandom(32))
    data = field.associated_prefix + row[2]

    def ours() -> None:
        for _ in range(TIMES):
            assert unseal(Sealed(field, seal(field, VALUE, row), row)) == VALUE

    def library() -> None:
        for _ in range(TIMES):
            assert peer._load(peer._dump(VALUE)) == VALUE

    def bare() -> None:
        for _ in range(TIMES):
            nonce = os.urandom(12)
            token = nonce + cipher.encrypt(nonce, VALUE.encode(), data)
            assert cipher.decrypt(token[:12], token[12:], data).decode() == VALUE

    yield times_as_fast("seal and open one value", "django-cryptography-5", 6, ours, library)
    yield times_as_long("seal and open one value", "AES-GCM, fresh nonce, same associated data", 2.5, ours, bare)
