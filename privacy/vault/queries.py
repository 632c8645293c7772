"""How old the keys are, and what of them is overdue (PROTECT-1)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connections
from django.db.models import Min, Q
from django.utils import timezone

from privacy.declarations.categories import Scope
from privacy.vault.errors import VaultError
from privacy.vault.identifiers import uuid7
from privacy.vault.keyrings import Label, key_ring
from privacy.vault.keys import reaching_the_vault, unwrap_whole
from privacy.vault.models import Clearing, Epoch, KeyEncryptionKey, SubjectKey

GRACE = timedelta(days=2)  # for what a schedule does every day
LATE_CLEARING = timedelta(hours=26)  # every minute for tables of usual size, every night for large ones
KEEPS_LOG = """
SELECT current_setting('archive_mode') <> 'off' OR current_setting('wal_recycle') <> 'off' OR current_setting('wal_keep_size') <> '0'
OR NOT has_function_privilege(proowner, 'pg_switch_wal()', 'EXECUTE') OR NOT pg_has_role(proowner, 'pg_checkpoint', 'USAGE')
OR EXISTS (SELECT FROM pg_replication_slots WHERE NOT active)
FROM pg_proc WHERE oid = to_regprocedure('renew_log()')
"""


@dataclass(frozen=True)
class KeyAges:
    """``locked_since`` is when the current key-encryption key took over, ``oldest`` when the oldest key of a person that seals
    was made. The numbers are of keys that should have been replaced by now."""

    version: int
    locked_since: datetime | None
    oldest: datetime | None
    epoch_since: datetime | None
    former_version: int
    overdue: int
    unfinished: int
    epochs_late: int
    clearings_late: int

    @property
    def lock_is_overdue(self) -> bool:
        return self.locked_since is not None and timezone.now() - self.locked_since > settings.KEY_ENCRYPTION_KEY_LASTS

    @property
    def is_overdue(self) -> bool:
        return bool(self.lock_is_overdue or self.overdue or self.unfinished or self.epochs_late or self.clearings_late)


def key_ages() -> KeyAges:
    """Raises VaultUnavailable when the keys' database does not answer."""
    now, version = timezone.now(), key_ring().version
    sealing = SubjectKey.objects.filter(retired_at=None).exclude(scope=Scope.LOG)
    with reaching_the_vault():
        return KeyAges(
            version=version,
            locked_since=KeyEncryptionKey.objects.filter(version=version).values_list("used_since", flat=True).first(),
            oldest=sealing.aggregate(oldest=Min("created_at"))["oldest"],
            epoch_since=Epoch.objects.filter(ended_at=None).values_list("started_at", flat=True).first(),
            former_version=SubjectKey.objects.exclude(key_version=version).count(),
            overdue=sealing.filter(Q(created_at__lt=now - settings.DATA_KEY_LASTS) | Q(seals__gte=settings.DATA_KEY_SEALS)).count(),
            unfinished=SubjectKey.objects.filter(retired_at__lt=now - GRACE).count(),
            epochs_late=_late_epochs(now),
            clearings_late=Clearing.objects.filter(owed_at__lt=now - LATE_CLEARING).count(),
        )


def _late_epochs(now: datetime) -> int:
    not_ended = Q(ended_at=None, started_at__lt=now - settings.EPOCH_LASTS - GRACE)
    not_destroyed = Q(destroyed_at=None, ended_at__lt=now - settings.EPOCH_KEPT - GRACE)
    return Epoch.objects.filter(not_ended | not_destroyed).count()


def is_log_kept() -> bool:
    """Whether the keys' server keeps old files of its write-ahead log, in which deleted keys and the secrets of their epochs
    lie together. Raises VaultUnavailable when it does not answer."""
    with reaching_the_vault(), connections["vault"].cursor() as cursor:
        cursor.execute(KEEPS_LOG)
        return cursor.fetchone() != (False,)


def ring_works() -> bool:
    """Whether a key can be locked and unlocked now, and every version that locks a key of a person is known."""
    label, secret, ring = Label("probe", uuid7()), os.urandom(32), key_ring()
    try:
        if ring.unwrap(ring.wrap(secret, label), label, ring.version) != secret:
            return False
        with reaching_the_vault():
            samples = SubjectKey.objects.order_by("key_version", "-pk").distinct("key_version")
            rows = list(samples)
        return all(unwrap_whole(row) is not None for row in rows)
    except VaultError:
        return False
