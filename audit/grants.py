"""Keeps USE-3 and PROTECT-2: everybody may add to the log and read it, nobody else than its keeper may do more, its owner included."""

from typing import Any

from django.core.management import CommandError
from django.db import connections

from audit.record import COLUMNS

_OTHER_TABLES = ("audit_leaf", "audit_tile", "audit_checkpoint", "audit_cosignature", "audit_publication", "audit_verification")
_CHANGING_TABLES = ("audit_publication",)  # not append-only: what is still to be sent

KEEPER = "SELECT to_regprocedure('wall.keep_log()')"
OWNER = "SELECT pg_get_userbyid(relowner), pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid = to_regclass(%s)"
# Whatever is wrong with a table of the log: its owner, its trigger, or a right to it or to one of its columns that nobody
# but the keeper has. A month is read through the whole, and by name for backups alone: no wall stands before it.
LOOSE = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'audit\\_%%' AND relkind IN ('r', 'p') AND (
  pg_get_userbyid(relowner) <> %(keeper)s
  OR (relname <> ALL (%(changing)s) AND NOT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'append_only' AND tgenabled = 'A' AND (tgtype & 58) = 58
    AND tgfoid = 'public.audit_refuse_change()'::regprocedure AND tgqual IS NULL))
  OR EXISTS (
    SELECT FROM (SELECT relacl AS acl UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = pg_class.oid) AS given, aclexplode(acl)
    WHERE grantee = 0 OR grantee <> relowner AND CASE
      WHEN relispartition THEN privilege_type <> 'SELECT' OR pg_get_userbyid(grantee) <> %(worker)s
      ELSE privilege_type NOT IN ('SELECT', 'INSERT') AND relname <> ALL (%(changing)s) END))
UNION ALL
SELECT proname FROM pg_proc WHERE oid = to_regprocedure('public.audit_refuse_change()') AND pg_get_userbyid(proowner) <> %(keeper)s
ORDER BY 1
"""


def rights(table: str, *, is_worker: bool) -> str:
    """What a runtime role may do with a table of the log, as SQL lists it.

    Nobody is granted `at`, `transaction` and `db_role`, so nobody can forge them. Only the worker adds leaves,
    checkpoints and verifications, and nobody a retirement, which the keeper's own function writes.
    """
    if table == "audit_retirement":
        return "SELECT"
    if table not in _OTHER_TABLES:
        return f"SELECT, INSERT ({', '.join(COLUMNS)})"
    if not is_worker:
        return "SELECT"
    return "SELECT, INSERT, UPDATE" if table == "audit_publication" else "SELECT, INSERT"


class KeeperMissing(CommandError):
    """The database has no role and no functions to keep the log; the message says how they come."""


class LogKept(CommandError):
    """The log's tables belong to their keeper, and only a superuser opens them for a change."""


def require_keeper(*, using: str, plan: list[tuple[Any, bool]], **kwargs: Any) -> None:
    """Before a migration: there is somebody to give the log to, and what it changes in the log is open to it.

    Raises KeeperMissing and LogKept.
    """
    if using != "default":
        return
    with connections[using].cursor() as cursor:
        cursor.execute(KEEPER)
        if cursor.fetchone()[0] is None:
            raise KeeperMissing("The database lacks what this version builds on. Its superuser lays it first: manage.py sqlwall | psql")
        if any(migration.app_label == "audit" for migration, _ in plan):
            require_open(cursor, "audit_entry")


def require_open(cursor: Any, table: str) -> None:
    """Raises LogKept for a table that belongs to the log's keeper."""
    cursor.execute(OWNER, [f"public.{table}"])
    keeper, is_ours = cursor.fetchone() or ("", True)
    if not is_ours:
        raise LogKept(
            f"This changes {table}, which belongs to {keeper}. A superuser opens the log first: manage.py sqlwall --open-log | psql"
        )


def keep_log(cursor: Any) -> None:
    """Make the months to come, and give the log's tables to their keeper. Nobody but a superuser takes them back."""
    cursor.execute("SELECT wall.make_log_months(), wall.keep_log()")


def loose_tables(cursor: Any, *, keeper: str, worker: str) -> list[str]:
    """The tables of the log that are open to more than they should be. Empty where all is well."""
    cursor.execute(LOOSE, {"keeper": keeper, "worker": worker, "changing": list(_CHANGING_TABLES)})
    return [name for (name,) in cursor.fetchall()]
