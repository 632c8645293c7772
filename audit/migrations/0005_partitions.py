"""Keeps USE-3: the log is kept by months, and what it held before is its first one: not a row is copied or touched."""

from datetime import timedelta

from django.db import migrations

from audit.identifiers import first_uuid7, moment_of

THIRTY_TWO_DAYS = timedelta(days=32)  # from any first of a month into the next
INDEXES = """
SELECT index.relname, pg_get_indexdef(index.oid), indisprimary FROM pg_index JOIN pg_class index ON index.oid = indexrelid
WHERE indrelid = 'audit_entry'::regclass ORDER BY index.relname
"""
MAKE_PARENT = """
CREATE TABLE audit_entry (LIKE audit_entry_first INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only
"""
CLEAR = """
ALTER TABLE audit_entry_first DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
REVOKE ALL ON audit_entry_first FROM {roles}
"""
POLICIES = "SELECT polname FROM pg_policy WHERE polrelid = 'audit_entry_first'::regclass"
ROLES = """
SELECT DISTINCT quote_ident(rolname) FROM pg_class CROSS JOIN aclexplode(relacl) JOIN pg_roles ON pg_roles.oid = grantee
WHERE pg_class.oid = 'audit_entry_first'::regclass AND grantee <> relowner
UNION
SELECT DISTINCT quote_ident(rolname) FROM pg_attribute CROSS JOIN aclexplode(attacl) JOIN pg_roles ON pg_roles.oid = grantee
WHERE attrelid = 'audit_entry_first'::regclass
"""


def partition(apps, schema_editor):
    """Rights and policies are given to the whole by the wall, at the end of this very migration."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE")
        cursor.execute("ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY")  # else its owner sees no row of it
        cursor.execute(
            "SELECT min(id::text)::uuid, max(id::text)::uuid, date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' FROM audit_entry"
        )
        lowest, highest, this_month = cursor.fetchone()
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
        cursor.execute("ALTER TABLE audit_entry RENAME TO audit_entry_first")
        for name, _definition, _is_primary in indexes:
            cursor.execute(f'ALTER INDEX "{name}" RENAME TO "{name}_first"')
        cursor.execute(MAKE_PARENT)
        for name, definition, is_primary in indexes:
            cursor.execute(f'ALTER TABLE audit_entry ADD CONSTRAINT "{name}" PRIMARY KEY (id)' if is_primary else definition)
        if lowest is None:
            cursor.execute("DROP TABLE audit_entry_first")
        else:
            keep_as_first(cursor, lowest, highest, this_month)
        cursor.execute("SELECT wall.make_log_months()")


def keep_as_first(cursor, lowest, highest, this_month):
    """Its span reaches to the end of the month in which it was written last, and no further than this one."""
    cursor.execute(POLICIES)
    for (name,) in cursor.fetchall():
        cursor.execute(f'DROP POLICY "{name}" ON audit_entry_first')
    cursor.execute(ROLES)
    cursor.execute(CLEAR.format(roles=", ".join([*(name for (name,) in cursor.fetchall()), "PUBLIC"])))
    first = moment_of(lowest).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (max(this_month, moment_of(highest)).replace(day=1) + THIRTY_TWO_DAYS).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    cursor.execute(
        "ALTER TABLE audit_entry ATTACH PARTITION audit_entry_first FOR VALUES FROM (%s) TO (%s)", [first_uuid7(first), first_uuid7(end)]
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_retirements")]

    operations = [migrations.RunPython(partition, migrations.RunPython.noop)]
