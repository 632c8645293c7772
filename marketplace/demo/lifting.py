"""The wall holds the owner of the tables, too. The loader, who dates the log as the owner alone may, has to see past it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from privacy.wall.foundation import quoted

FORCED = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relforcerowsecurity AND relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
ORDER BY relname
"""


@contextmanager
def lifted_for_owner() -> Iterator[None]:
    """Inside, the owner meets every row; nobody else meets one more.

    A command that is killed leaves the owner past the wall until the next migration, which each start of the site runs.
    """
    with connection.cursor() as cursor:
        cursor.execute(FORCED)
        tables = [table for (table,) in cursor.fetchall()]
    _alter(tables, "NO FORCE")
    try:
        yield
    finally:
        _alter(tables, "FORCE")


def _alter(tables: list[str], how: str) -> None:
    """Table by table, and none for long: whoever waits for a table's lock makes everybody behind wait, too."""
    for table in tables:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            cursor.execute(f"ALTER TABLE {quoted(table)} {how} ROW LEVEL SECURITY")
