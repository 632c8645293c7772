"""The wall's triggers: what should stand is compared with the catalog, as the rest of the wall is (PROTECT-2)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from privacy.wall.foundation import quoted

STANDING = """
SELECT relname, tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = 'public'::regnamespace AND tgenabled = 'A' AND tgname = ANY (%s)
"""


class Trigger(NamedTuple):
    """One that fires for everybody, also in a replication session; ``definition`` as PostgreSQL itself prints it."""

    table: str
    name: str
    definition: str


def trigger_differences(cursor: Any, wanted: Collection[Trigger]) -> set[Trigger]:
    """What is missing, changed, switched off or too much of the triggers of these names. Empty where all is well."""
    cursor.execute(STANDING, [list({trigger.name for trigger in wanted})])
    return set(wanted) ^ {Trigger(*row) for row in cursor.fetchall()}


def install_triggers(cursor: Any, wanted: Collection[Trigger], existing: set[str]) -> None:
    """As the owner of the tables: put right what stands otherwise than wanted; else do nothing."""
    differing = trigger_differences(cursor, wanted)
    for table, name in sorted({(trigger.table, trigger.name) for trigger in differing if trigger.table in existing}):
        cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {quoted(table)}")
    for trigger in sorted(differing.intersection(wanted)):
        if trigger.table in existing:
            cursor.execute(trigger.definition)
            cursor.execute(f"ALTER TABLE {quoted(trigger.table)} ENABLE ALWAYS TRIGGER {trigger.name}")
