"""Somebody is told when a key is used or kept for longer than it should be, or the key ring fails (PROTECT-1, PROTECT-2, RIGHTS-3)."""

from __future__ import annotations

from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind
from privacy.vault.errors import VaultUnavailable
from privacy.vault.queries import is_log_kept, key_ages, ring_works


def watch_keys() -> None:
    """Raise what is wrong with the keys now; what is open already is counted up."""
    try:
        is_overdue, is_kept, is_working = key_ages().is_overdue, is_log_kept(), ring_works()
    except VaultUnavailable:
        is_overdue, is_kept, is_working = False, False, False
    if is_overdue:
        raise_alert(kind=AlertKind.KEY_OVERDUE)
    if is_kept:
        raise_alert(kind=AlertKind.KEY_LOG_KEPT)
    if not is_working:
        raise_alert(kind=AlertKind.KEY_RING_FAILED)
