"""Somebody is told when a key is used for longer than it should be, or the key ring fails (PROTECT-1, PROTECT-2)."""

from __future__ import annotations

from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind
from privacy.vault.errors import VaultUnavailable
from privacy.vault.queries import key_ages, ring_works


def watch_keys() -> None:
    """Raise what is wrong with the keys now; what is open already is counted up."""
    try:
        is_overdue, is_working = key_ages().is_overdue, ring_works()
    except VaultUnavailable:
        is_overdue, is_working = False, False
    if is_overdue:
        raise_alert(kind=AlertKind.KEY_OVERDUE)
    if not is_working:
        raise_alert(kind=AlertKind.KEY_RING_FAILED)
