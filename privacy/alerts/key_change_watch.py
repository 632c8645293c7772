"""Somebody is told when keys were changed around the application (USE-3, PROTECT-2).

Two databases share no transaction, so a note of the keys' database waits until the entry for it had time to come.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.identifiers import first_uuid7, moment_of
from audit.models import Entry
from audit.record import UNKNOWN, NewEntry, Reference, record_many
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind
from privacy.vault.commitments import ENDS_OF_KEYS, SETTLES
from privacy.vault.keys import reaching_the_vault
from privacy.vault.models import KeyChange
from privacy.wall.logins import Login
from privacy.wall.shape import roles

BATCH = 1000
# What is recorded at most so long before its change: an entry comes first, or right after it.
BEFORE = timedelta(hours=1)
OF_A_PERSON = ENDS_OF_KEYS | {Event.KEYS_RENEWED, Event.ERASURE_ADVANCED}
OF_ALL = frozenset({Event.KEYS_REWRAPPED, Event.EPOCH_DESTROYED})


@dataclass(frozen=True, slots=True)
class Unknown:
    """Whoever used a database login, as an actor."""

    name: str
    role: str = UNKNOWN
    id: UUID | None = None


Moments = Mapping[UUID | None, list[datetime]]


def watch_key_changes(now: datetime | None = None) -> None:
    """Record what nothing in the log explains, and raise one alert for each database login. Raises VaultUnavailable."""
    with reaching_the_vault():
        notes = list(KeyChange.objects.filter(at__lt=(now or timezone.now()) - SETTLES).order_by("at", "pk")[:BATCH])
    if not notes:
        return
    recorded = _recorded_moments(notes)
    _tell([note for note in notes if not _is_explained(note, recorded)])
    # After the entries have committed: killed in between, the same is told twice rather than never.
    with reaching_the_vault():
        KeyChange.objects.filter(pk__in=[note.pk for note in notes]).delete()


def _recorded_moments(notes: list[KeyChange]) -> Moments:
    """When the log recorded something about these people's keys, and under None about everybody's.

    By the ids, which are made when an entry is written: the demo dates its past back.
    """
    lately = Entry.objects.filter(pk__gte=first_uuid7(notes[0].at - BEFORE))
    of_people = lately.filter(event__in=OF_A_PERSON, subject_id__in={note.subject_id for note in notes if note.subject_id})
    of_all = lately.filter(event__in=OF_ALL).exclude(db_role__in=_own_logins())
    moments: dict[UUID | None, list[datetime]] = defaultdict(list)
    for entry_id, subject_id in of_people.values_list("pk", "subject_id"):
        moments[subject_id].append(moment_of(entry_id))
    moments[None] = [moment_of(entry_id) for entry_id in of_all.values_list("pk", flat=True)]
    return moments


def _own_logins() -> set[str]:
    """Of the main database. What the site's own logins change for everybody leaves no note, so their entries explain none."""
    return {role for login, role in roles().items() if login != Login.OWNER}


def _is_explained(note: KeyChange, recorded: Moments) -> bool:
    return any(note.at - BEFORE <= moment <= note.at + SETTLES for moment in recorded.get(note.subject_id, []))


@transaction.atomic
def _tell(notes: list[KeyChange]) -> None:
    by_role: dict[str, list[UUID]] = defaultdict(list)
    for note, entry_id in zip(notes, record_many(map(_entry_of, notes)), strict=True):
        by_role[note.db_role].append(entry_id)
    for entries in by_role.values():
        raise_alert(kind=AlertKind.UNATTRIBUTED_CHANGE, about=Reference("audit.entry", entries[0]), count=len(entries))


def _entry_of(note: KeyChange) -> NewEntry:
    login = Unknown(re.sub(r"[^A-Za-z0-9_.-]", "_", note.db_role))
    about = Reference(note.label, note.pk)
    return NewEntry(event=Event.DATA_CHANGED_UNATTRIBUTED, by=login, subject=note.subject_id, object=about, outcome=note.operation)
