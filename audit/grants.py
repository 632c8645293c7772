"""Keeps USE-3 and PROTECT-2: the runtime roles may add to the log and read it, and nothing else."""

from typing import Any

from django.conf import settings
from django.db import connections, transaction

from audit.record import COLUMNS

_OTHER_TABLES = ("audit_leaf", "audit_checkpoint", "audit_verification")


def install_grants(*, using: str, **kwargs: Any) -> None:
    """Give each role in settings.RUNTIME_ROLES its rights on the log's tables, and take any other.

    The owner itself and empty names are left out.
    """
    connection = connections[using]
    if using != "default" or "audit_entry" not in connection.introspection.table_names():
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
        for process, role in settings.RUNTIME_ROLES.items():
            if role and role != owner:
                _grant(cursor, connection.ops.quote_name(role), is_worker=process == "worker")


def rights(table: str, *, is_worker: bool) -> str:
    """What a runtime role may do with a table of the log, as SQL lists it.

    Nobody is granted `at`, `transaction` and `db_role`, so nobody can forge them. Only the worker adds leaves,
    checkpoints and verifications.
    """
    if table not in _OTHER_TABLES:
        return f"SELECT, INSERT ({', '.join(COLUMNS)})"
    return "SELECT, INSERT" if is_worker else "SELECT"


def _grant(cursor: Any, role: str, *, is_worker: bool) -> None:
    for table in ("audit_entry", *_OTHER_TABLES):
        cursor.execute(f"REVOKE ALL ON {table} FROM {role}")
        cursor.execute(f"GRANT {rights(table, is_worker=is_worker)} ON {table} TO {role}")
