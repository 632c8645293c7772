"""The keys under which the log commits to its entries: erasing a person makes them unlinkable (USE-3)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from privacy.declarations.categories import Scope
from privacy.vault import keys
from privacy.vault.epochs import read_secrets
from privacy.vault.models import DestroyedKey, SubjectKey

ENDS_OF_KEYS = frozenset({Event.KEY_DESTROYED, Event.ERASURE_REPLAYED, Event.TICKET_DISCARDED})
SETTLES = timedelta(hours=1)  # keys go before the entry commits; a killed worker's step is repeated well within


class VaultKeySource:
    """The log's keys of people, from the vault."""

    def log_keys(self, subject_ids: set[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
        """The current log key of each person, made where missing; erased people are left out.

        Raises Unreadable when one is damaged. Nothing goes through the processes' key cache, which holds the keys that
        people's values are opened with: the log reads everybody's.
        """
        found = _current_keys(subject_ids)
        if missing := subject_ids - found.keys():
            keys.make_missing((subject_id, Scope.LOG) for subject_id in missing)
            found |= _current_keys(missing)
        return found

    def known_keys(self, key_ids: set[UUID]) -> dict[UUID, bytes]:
        """Those of these keys that exist, in one query; a damaged one is as good as none."""
        with keys.reaching_the_vault():
            rows = list(SubjectKey.objects.filter(pk__in=key_ids))
            read_secrets(rows)
        return {key.id: key.secret for row in rows if (key := keys.unwrap_whole(row)) is not None}

    def destroyed_keys(self, key_ids: set[UUID]) -> set[UUID]:
        """Those of these keys that the erasure ledger names and the log knows of, in two queries.

        A line in the ledger alone excuses no entry for longer than its own entry takes: whoever forges one has to write
        the erasure into the signed log, too, where it stays.
        """
        with keys.reaching_the_vault():
            lines = list(DestroyedKey.objects.filter(pk__in=key_ids).values_list("pk", "subject_id", "destroyed_at"))
        ends = Entry.objects.filter(event__in=ENDS_OF_KEYS, subject_id__in={subject_id for _, subject_id, _ in lines})
        recorded = set(ends.values_list("subject_id", flat=True))
        lately = timezone.now() - SETTLES
        return {key_id for key_id, subject_id, at in lines if subject_id in recorded or lately < at <= timezone.now()}


def _current_keys(subject_ids: set[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
    with keys.reaching_the_vault():
        rows = list(SubjectKey.objects.filter(subject_id__in=subject_ids, scope=Scope.LOG, retired_at=None))
        read_secrets(rows)
    return {row.subject_id: (row.id, keys.unwrap(row).secret) for row in rows}
