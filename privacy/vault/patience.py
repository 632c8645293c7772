"""Locks on the tables of a running site: asked for briefly and again, so that nobody stands long behind who asks (PROTECT-2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.management import CommandError
from django.db import OperationalError, connections, transaction
from psycopg2.errors import DeadlockDetected, LockNotAvailable

WAIT_SECONDS, PAUSE_SECONDS, ATTEMPTS = 3, 5, 12


class TablesBusy(CommandError):
    """Somebody holds a table whose rights or triggers have to change."""


def patiently(using: str, work: Callable[[Any], None]) -> None:
    """Do ``work(cursor)`` in a transaction of that database, again while a table is not free. Raises TablesBusy at last."""
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_SECONDS if attempt else 0)
        try:
            with transaction.atomic(using=using), connections[using].cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
                work(cursor)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise
        else:
            return
    raise TablesBusy(
        f"A table that has to change was in use for more than {WAIT_SECONDS} seconds at each of {ATTEMPTS} attempts. Rights and triggers "
        "are as they were: end the transactions that stay open (pg_stat_activity, by xact_start), and run manage.py migrate again."
    )
