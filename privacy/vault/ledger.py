"""The erasure ledger kept outside both databases, so that no backup brings a destroyed key back (RIGHTS-3, PROTECT-1)."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction

from privacy.declarations.categories import Scope
from privacy.vault.clearing import owe_clearing
from privacy.vault.key_cache import cache
from privacy.vault.models import DestroyedKey, SubjectKey

Line = dict[str, str]
Row = TypeVar("Row")
BATCH = 1000


def ledger_path() -> Path:
    return Path(settings.ERASURE_LEDGER)


def read_ledger(path: Path) -> Iterator[Line]:
    """The lines ``{"key", "subject", "scope", "at"}``; a last line that a power cut tore is left out."""
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield json.loads(text)


def copy_ledger() -> int:
    """Append what the file does not know yet, and have it on the disk before returning; returns how many lines."""
    path = ledger_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _mend(file.fileno())
        known = {line["key"] for line in read_ledger(path)}
        new = [row for row in DestroyedKey.objects.order_by("destroyed_at", "pk") if str(row.pk) not in known]
        file.writelines(json.dumps(_line(row)) + "\n" for row in new)
        file.flush()
        os.fsync(file.fileno())
    return len(new)


def _line(row: DestroyedKey) -> Line:
    return {"key": str(row.pk), "subject": str(row.subject_id), "scope": row.scope, "at": row.destroyed_at.isoformat()}


def _mend(number: int) -> None:
    """Cut off a line that a power cut tore: what it said is still in the database."""
    text = os.pread(number, os.fstat(number).st_size, 0)
    os.ftruncate(number, text.rfind(b"\n") + 1)


def batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def people_to_end(lines: Iterable[Line]) -> set[UUID]:
    """Whose keys `replay_ledger` will delete, or enter as destroyed: what a backup brought back of them."""
    found = set()
    for rows in batches([_row(line) for line in lines], BATCH):
        people = {row.subject_id for row in rows}
        entered, living = (
            set(model.objects.filter(subject_id__in=people).values_list("subject_id", "scope")) for model in (DestroyedKey, SubjectKey)
        )
        found |= {row.subject_id for row in rows if (row.subject_id, row.scope) in living or (row.subject_id, row.scope) not in entered}
    return found


def replay_ledger(lines: Iterable[Line]) -> None:
    """Delete the keys that the lines name, wherever they came from, and enter them in the database's ledger again."""
    for rows in batches([_row(line) for line in lines], BATCH):
        with transaction.atomic(using="vault"):
            DestroyedKey.objects.bulk_create(rows, ignore_conflicts=True)
            for row in rows:
                SubjectKey.objects.filter(subject_id=row.subject_id, scope=row.scope).delete()
            owe_clearing()
    cache.clear()


def _row(line: Line) -> DestroyedKey:
    at = datetime.fromisoformat(line["at"])
    return DestroyedKey(id=UUID(line["key"]), subject_id=UUID(line["subject"]), scope=Scope(line["scope"]), destroyed_at=at)
