"""What two people must decide stands in the database only with their decision: of its kind, about this row, and carried out."""

from django.db import migrations

# A row is written while its decision is still being carried out, so the question waits for the commit. That the decision was
# made by another person than asked is a constraint of the proposal itself.
MAKE_FUNCTION = """
CREATE FUNCTION privacy_refuse_undecided() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  written jsonb := to_jsonb(NEW) || jsonb_build_object('hold', NEW.id);
  decision uuid := written ->> TG_ARGV[0];
BEGIN
  IF decision IS NOT NULL AND NOT EXISTS (
    SELECT FROM public.privacy_proposal
    WHERE id = decision AND state = 'performed' AND kind = ANY (TG_ARGV[1:])
    AND NOT EXISTS (
      SELECT FROM jsonb_each(parameters) AS asked
      WHERE asked.key IN ('hold', 'role', 'purpose', 'categories', 'ground') AND written -> asked.key <> asked.value
    )
  ) THEN
    RAISE EXCEPTION 'nobody decided this row of %', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$
"""
MAKE_TRIGGER = """
CREATE CONSTRAINT TRIGGER decided_by_two AFTER INSERT OR UPDATE OF {columns} ON {table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION privacy_refuse_undecided({arguments})
"""
DECIDED = {
    "privacy_matrixoverride": ("proposal_id, role, purpose, categories", "'proposal_id', 'matrix-override'"),
    "privacy_hold": ("release_id", "'release_id', 'hold-release'"),
    "privacy_staffexport": ("proposal_id", "'proposal_id', 'staff-export', 'log-bundle'"),
    "privacy_silence": ("proposal_id, ground", "'proposal_id', 'silence'"),
}


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0015_codes_by_hash"),
    ]

    operations = [
        migrations.RunSQL(MAKE_FUNCTION, "DROP FUNCTION privacy_refuse_undecided()"),
        *(
            migrations.RunSQL(
                MAKE_TRIGGER.format(table=table, columns=columns, arguments=arguments), f"DROP TRIGGER decided_by_two ON {table}"
            )
            for table, (columns, arguments) in DECIDED.items()
        ),
    ]
