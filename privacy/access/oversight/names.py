"""Whole names as digests in memory, so that a rule can tell that two are the same and nothing else (PROTECT-2, PROTECT-4)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from uuid import UUID

from privacy.access.gate import open_access
from privacy.alerts.actions import WATCH
from privacy.declarations.purposes import Purpose
from privacy.vault.blind_index import blind_index
from privacy.vault.records import PersonalRecord

FindRecords = Callable[[Iterable[UUID]], Iterable[PersonalRecord]]

_sources: list[FindRecords] = []


def register_names(find: FindRecords) -> None:
    """``find(subject_ids)`` gives records of these people with a sealed ``name`` of their account, in one query."""
    if find not in _sources:
        _sources.append(find)


def name_digests(subject_ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """For those of these people whose name is known and can still be read. Logged as an opening by this job."""
    wanted = list(subject_ids)
    records = [record for find in _sources for record in find(wanted)] if wanted else []
    if not records:
        return {}
    with open_access(by=WATCH, purpose=Purpose.SECURITY, reason="names compared") as grant:
        grant.load(records)
        names = ((record.subject_id, grant.read(record.name)) for record in records)  # type: ignore[attr-defined]
        return {subject_id: _digest(name) for subject_id, name in names if name}


def _digest(name: str) -> bytes:
    return blind_index("name-compared", " ".join(unicodedata.normalize("NFKC", name).casefold().split()))
