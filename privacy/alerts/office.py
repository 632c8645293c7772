"""Who is told of an alert; the site knows their mailboxes and registers how to write to them (PROTECT-2)."""

from __future__ import annotations

from collections.abc import Callable

from privacy.alerts.models import Alert

Tell = Callable[[Alert], None]

_tell: list[Tell] = []


def register_office(tell: Tell) -> None:
    """``tell(alert)`` writes to those who look after this alert; it is idempotent, and runs in a worker."""
    if tell not in _tell:
        _tell.append(tell)


def tell_office(alert: Alert) -> None:
    for tell in _tell:
        tell(alert)
