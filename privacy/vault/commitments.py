"""The keys under which the log commits to its entries: erasing a person makes them unlinkable (USE-3)."""

from __future__ import annotations

from uuid import UUID

from privacy.declarations.categories import Scope
from privacy.vault import keys
from privacy.vault.epochs import read_secrets
from privacy.vault.models import DestroyedKey, SubjectKey


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
        """Those of these keys that the erasure ledger names, in one query."""
        return set(DestroyedKey.objects.filter(pk__in=key_ids).values_list("pk", flat=True))


def _current_keys(subject_ids: set[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
    with keys.reaching_the_vault():
        rows = list(SubjectKey.objects.filter(subject_id__in=subject_ids, scope=Scope.LOG, retired_at=None))
        read_secrets(rows)
    return {row.subject_id: (row.id, keys.unwrap(row).secret) for row in rows}
