"""Somebody is told when a checkpoint does not leave the machine, or when the outside knows another log (USE-3)."""

from __future__ import annotations

from audit.publishing import outside_health
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind


def watch_publications() -> None:
    """One alert for all places that are late, one for all that contradict; what is open already is counted up."""
    health = outside_health()
    if health.late:
        raise_alert(kind=AlertKind.LOG_UNPUBLISHED)
    if health.contradicting:
        raise_alert(kind=AlertKind.LOG_CONTRADICTED)
