"""Keeps USE-3: the log's tables refuse every change, also by their owner and by a replication session."""

from django.db import migrations

TABLES = ("audit_entry", "audit_leaf", "audit_checkpoint", "audit_verification")

MAKE_FUNCTION = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""

MAKE_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(MAKE_FUNCTION, "DROP FUNCTION audit_refuse_change()"),
        *(migrations.RunSQL(MAKE_TRIGGER.format(table=table), f"DROP TRIGGER append_only ON {table}") for table in TABLES),
    ]
