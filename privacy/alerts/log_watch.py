"""Somebody is told when the log does not hold, has not been verified or binds nothing any more (USE-3, PROTECT-2)."""

from __future__ import annotations

from audit.queries import log_health
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind


def watch_log() -> None:
    """Raise what is wrong with the log now; what is open already is counted up."""
    health = log_health()
    if not health.holds:
        raise_alert(kind=AlertKind.LOG_FAILED)
    if not health.is_verified:
        raise_alert(kind=AlertKind.LOG_UNVERIFIED)
    if not health.is_integrated:
        raise_alert(kind=AlertKind.LOG_WAITING)
