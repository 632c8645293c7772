"""What was deleted leaves the files of the keys' tables at once, not when the server next cleans up (RIGHTS-3)."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, connections

from privacy.vault.models import EpochSecret, SubjectKey

logger = logging.getLogger(__name__)

# Up to here a table is written anew, which takes a fraction of a second and leaves no byte of a deleted row. In a larger one
# VACUUM alone may leave the bytes of a page's last row in its free space; they go with the secret of their epoch.
WHOLE_BYTES = 16 * 1024 * 1024
LOCK_LIMIT = "2s"


def vacuum_keys() -> None:
    """Clear the keys' tables of what was deleted from them. Not inside a transaction.

    Failing is no reason to fail an erasure: autovacuum comes within a minute. Needs the right MAINTAIN, which PostgreSQL
    knows since version 17; before, autovacuum alone does it.
    """
    if connections["vault"].pg_version < 170_000:  # type: ignore[attr-defined]
        return
    try:
        with connections["vault"].cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_LIMIT])
            try:
                for model in (SubjectKey, EpochSecret):
                    _vacuum(cursor, model._meta.db_table)
            finally:
                cursor.execute("RESET lock_timeout")
    except DatabaseError as error:
        logger.warning("the keys' tables were not vacuumed: %s", type(error).__name__)


def _vacuum(cursor: Any, table: str) -> None:
    cursor.execute("SELECT pg_table_size(%s)", [table])
    how = "(FULL) " if cursor.fetchone()[0] <= WHOLE_BYTES else ""
    cursor.execute(f'VACUUM {how}"{table}"')
