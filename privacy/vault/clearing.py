"""What was deleted leaves the files of the keys' tables within a minute, not when the server next cleans up (RIGHTS-3)."""

from __future__ import annotations

import logging
from time import monotonic, sleep
from typing import Any

from django.db import DatabaseError, connections, transaction

from privacy.vault.models import Clearing, EpochSecret, SubjectKey

logger = logging.getLogger(__name__)

# Up to here a table is written anew at once, which takes a fraction of a second; a larger one waits for the night.
WHOLE_BYTES = 16 * 1024 * 1024
PATIENCE = 2.0  # seconds
LOCK_LIMIT = "500ms"  # whoever opens something meanwhile waits behind us for as long
CLEARED = (EpochSecret, SubjectKey)

# CLUSTER leaves no byte of a deleted row, where VACUUM leaves those of a page's last one; but it carries over what an older
# snapshot may still see. So a turn is for notes that every snapshot sees from now on, and waits for older transactions.
SEEN_BY_ALL = "age(privacy_clearing.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)"
OPEN_TRANSACTIONS = """
SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
WRITE_ANEW = """
CREATE OR REPLACE FUNCTION rewrite_keys(wanted text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF wanted NOT IN ('privacy_subjectkey', 'privacy_epochsecret') THEN
        RAISE EXCEPTION 'not a table of keys';
    END IF;
    EXECUTE format('CLUSTER public.%I USING %I', wanted, wanted || '_pkey');
END $$
"""
NEW_LOG = """
CREATE OR REPLACE FUNCTION renew_log() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_switch_wal();
    CHECKPOINT;
END $$
"""


def owe_clearing() -> None:
    """Note that rows of the keys' tables were deleted. Call it after that, in the same transaction of the vault."""
    Clearing.objects.create()


def clear_deleted_keys(*, whatever_size: bool = False) -> bool:
    """Write the keys' tables anew, without what was deleted from them; returns whether nothing waits for that any more.

    One turn clears for all erasures before it. While somebody's older transaction may still see what was deleted, or
    reads a table for long, the notes stay for the next turn.
    """
    try:
        waiting = list(Clearing.objects.extra(where=[SEEN_BY_ALL]).values_list("pk", flat=True))  # noqa: S610 - a constant
        if waiting and _others_end() and all(_write_anew(model._meta.db_table, whatever_size) for model in CLEARED):
            Clearing.objects.filter(pk__in=waiting).delete()
        return not Clearing.objects.exists()
    except DatabaseError as error:
        logger.warning("the keys' tables were not cleared: %s", type(error).__name__)
        return False


def _others_end() -> bool:
    """Whether every transaction that is open now has ended in time; a lock on a table is held to the end."""
    open_now, until = _open_transactions(), monotonic() + PATIENCE
    while open_now and monotonic() < until:
        sleep(0.05)
        open_now &= _open_transactions()
    return not open_now


def _open_transactions() -> set[str]:
    with connections["vault"].cursor() as cursor:
        cursor.execute(OPEN_TRANSACTIONS)
        return {number for (number,) in cursor.fetchall()}


def _write_anew(table: str, whatever_size: bool) -> bool:
    """False for a table that is too large by day. Each in its own transaction: both locks at once could deadlock."""
    with transaction.atomic(using="vault"), connections["vault"].cursor() as cursor:
        cursor.execute("SELECT pg_table_size(%s), set_config('lock_timeout', %s, true)", [table, LOCK_LIMIT])
        if cursor.fetchone()[0] > WHOLE_BYTES and not whatever_size:
            return False
        cursor.execute("SELECT rewrite_keys(%s)", [table])
        return True


def renew_log() -> bool:
    """End the file of the write-ahead log that holds what was deleted, so that the server removes it; returns whether it did.

    The owner of the keys may, where a superuser has said so (`watch_keys` tells where not).
    """
    try:
        with transaction.atomic(using="vault"), connections["vault"].cursor() as cursor:
            cursor.execute("SELECT renew_log()")
        return True
    except DatabaseError as error:
        logger.warning("the keys' write-ahead log was not renewed: %s", type(error).__name__)
        return False


def install_clearing(cursor: Any, roles: set[str]) -> None:
    """Give these roles the functions that do what the owner of the keys alone may: before PostgreSQL 17, write a table anew."""
    for name, definition in (("rewrite_keys(text)", WRITE_ANEW), ("renew_log()", NEW_LOG)):
        cursor.execute(definition)
        cursor.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        for role in roles:
            cursor.execute(f'GRANT EXECUTE ON FUNCTION {name} TO "{role}"')
