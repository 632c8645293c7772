"""Somebody is told when a person's data was changed around the application (USE-3, PROTECT-2)."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from django.db import connection, transaction

from audit.models import Entry
from audit.record import COLUMNS, Reference
from audit.security_log import announce
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind

TAKEN = "DELETE FROM wall.unattributed RETURNING entry_id"


@transaction.atomic
def watch_floor() -> None:
    """Raise one alert for each database role that changed something since the last look; it counts, and names the first entry."""
    with connection.cursor() as cursor:
        cursor.execute(TAKEN)
        found = [entry_id for (entry_id,) in cursor.fetchall()]
    by_role: dict[str, list[UUID]] = defaultdict(list)
    recorded = Entry.objects.filter(id__in=found).order_by("id").values("db_role", *COLUMNS)
    for entry in recorded:
        by_role[entry["db_role"]].append(entry["id"])
    announce(recorded)  # the database wrote them, and tells nobody
    for entries in by_role.values():
        raise_alert(kind=AlertKind.UNATTRIBUTED_CHANGE, about=Reference("audit.entry", entries[0]), count=len(entries))
