"""Triggers as they are declared: nothing is done, and nothing is locked, where one stands so already (PROTECT-2)."""

from __future__ import annotations

from typing import Any

SAID = "SELECT %s || ': ' || pg_get_triggerdef(oid) AS said, * FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s"
STANDS = f"SELECT tgenabled = 'A' AND said = obj_description(oid, 'pg_trigger') FROM ({SAID}) standing"  # noqa: S608 - a constant


def install_trigger(cursor: Any, table: str, name: str, definition: str) -> None:
    """As the owner of the table: the trigger of this name, always on, as ``BEFORE … EXECUTE FUNCTION …`` says.

    Its comment keeps what it was made from and what PostgreSQL made of it.
    """
    cursor.execute(STANDS, [definition, table, name])
    if cursor.fetchone() == (True,):
        return
    cursor.execute(f"CREATE OR REPLACE TRIGGER {name} {definition}")
    cursor.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER {name}')
    cursor.execute(SAID, [definition, table, name])
    cursor.execute(f'COMMENT ON TRIGGER {name} ON "{table}" IS %s', [cursor.fetchone()[0]])
