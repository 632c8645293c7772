"""A stored file that turns out damaged is told to whoever looks after it, and is never half an answer (PROTECT-4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO
from uuid import UUID

from audit.record import Reference
from privacy.access.units import raise_alert_afterwards
from privacy.alerts.models import AlertKind
from privacy.declarations.categories import Scope
from privacy.vault.errors import Unreadable
from privacy.vault.files import SCOPE, open_file


def open_stored_file(source: BinaryIO, *, about: Reference, file_id: UUID, subject_id: UUID, scope: Scope = SCOPE) -> Iterator[bytes]:
    """As ``open_file``, with an alert about the row ``about`` for a file that is damaged or not this person's.

    The first chunk is read now, so that a damaged file is refused before anything of an answer has left. Comes last
    in its transaction: what fails afterwards would leave the file open.
    """
    chunks = _watched(source, about, file_id, subject_id, scope)
    return chain([next(chunks, b"")], chunks)


def _watched(source: BinaryIO, about: Reference, file_id: UUID, subject_id: UUID, scope: Scope) -> Iterator[bytes]:
    try:
        yield from open_file(source, file_id=file_id, subject_id=subject_id, scope=scope)
    except Unreadable:
        raise_alert_afterwards(kind=AlertKind.VALUE_UNREADABLE, about=about, subject_id=subject_id)
        raise
