"""Somebody is told when the wall in the database stands otherwise than declared (PROTECT-2)."""

from __future__ import annotations

from django.db import connection

from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind
from privacy.wall.install import differences


def watch_wall() -> None:
    """Compare every table with its declaration, as the worker sees them; what is open already is counted up."""
    with connection.cursor() as cursor:
        holes = differences(cursor)
    if holes:
        raise_alert(kind=AlertKind.WALL_BREACHED)
