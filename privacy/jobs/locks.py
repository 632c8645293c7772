"""One worker at a time for one job, and a dead worker's job is free at once (RIGHTS-7)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection


@contextmanager
def job_lock(id: UUID) -> Iterator[bool]:
    """Try to take the session lock of this job; yields whether it was free.

    A session lock lives across the job's transactions and ends with the database connection, so a killed
    worker holds nothing. It needs a connection of the worker's own: behind a pooler, session mode.
    """
    number = int.from_bytes(id.bytes[8:], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        taken = cursor.fetchone()[0]
    try:
        yield taken
    finally:
        if taken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
