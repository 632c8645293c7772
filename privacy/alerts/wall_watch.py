"""Somebody is told when the wall in the database stands otherwise than declared (PROTECT-2)."""

from __future__ import annotations

from django.db import connection

from audit.grants import loose_tables
from audit.partitions import are_months_late
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind
from privacy.vault.floor import missing_triggers
from privacy.wall.decisions import loose_functions
from privacy.wall.foundation import GUARD
from privacy.wall.install import differences, loose_triggers
from privacy.wall.logins import Login
from privacy.wall.shape import roles


def watch_wall() -> None:
    """Compare every table with its declaration, as the worker sees them; what is open already is counted up.

    The triggers of the keys' database among them. Raises VaultUnavailable.
    """
    with connection.cursor() as cursor:
        holes = [*differences(cursor), *loose_triggers(cursor), *loose_functions(cursor)]
        holes += loose_tables(cursor, keeper=GUARD, worker=roles()[Login.WORKER])
    if are_months_late():
        raise_alert(kind=AlertKind.LOG_MONTHS_LATE)
    if holes or missing_triggers():
        raise_alert(kind=AlertKind.WALL_BREACHED)
