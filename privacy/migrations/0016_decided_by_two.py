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
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION privacy_refuse_undecided({arguments});
ALTER TABLE {table} ENABLE ALWAYS TRIGGER decided_by_two
"""
# Whoever may end something early may not bring it back.
MAKE_ENDS_FUNCTION = """
CREATE FUNCTION privacy_refuse_later() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  name text;
  before timestamptz;
  now_ends timestamptz;
BEGIN
  FOREACH name IN ARRAY TG_ARGV LOOP
    before := (to_jsonb(OLD) ->> name)::timestamptz;
    now_ends := (to_jsonb(NEW) ->> name)::timestamptz;
    IF before IS NOT NULL AND (now_ends IS NULL OR now_ends > before) THEN
      RAISE EXCEPTION '% of % only comes sooner', name, TG_TABLE_NAME
      USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
  END LOOP;
  RETURN NULL;
END $$
"""
MAKE_ENDS_TRIGGER = """
CREATE TRIGGER ends_sooner AFTER UPDATE OF {columns} ON {table} FOR EACH ROW EXECUTE FUNCTION privacy_refuse_later({arguments});
ALTER TABLE {table} ENABLE ALWAYS TRIGGER ends_sooner
"""
ENDS = {"privacy_matrixoverride": ["ends_at"], "privacy_silence": ["until", "released_at"]}
# Which entries a person may not read was decided with the rest.
MAKE_ENTRIES_FUNCTION = """
CREATE FUNCTION privacy_refuse_unlisted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM public.privacy_silence JOIN public.privacy_proposal ON privacy_proposal.id = proposal_id,
    jsonb_array_elements_text(parameters -> 'entries') AS listed
    WHERE privacy_silence.id = NEW.silence_id AND listed::uuid = NEW.entry_id
  ) THEN
    RAISE EXCEPTION 'nobody decided this row of %', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$
"""
MAKE_ENTRIES_TRIGGER = """
CREATE TRIGGER decided_by_two AFTER INSERT OR UPDATE ON privacy_silencedentry FOR EACH ROW EXECUTE FUNCTION privacy_refuse_unlisted();
ALTER TABLE privacy_silencedentry ENABLE ALWAYS TRIGGER decided_by_two
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
        migrations.RunSQL(MAKE_ENDS_FUNCTION, "DROP FUNCTION privacy_refuse_later()"),
        *(
            migrations.RunSQL(
                MAKE_ENDS_TRIGGER.format(table=table, columns=", ".join(names), arguments=", ".join(f"'{name}'" for name in names)),
                f"DROP TRIGGER ends_sooner ON {table}",
            )
            for table, names in ENDS.items()
        ),
        migrations.RunSQL(MAKE_ENTRIES_FUNCTION, "DROP FUNCTION privacy_refuse_unlisted()"),
        migrations.RunSQL(MAKE_ENTRIES_TRIGGER, "DROP TRIGGER decided_by_two ON privacy_silencedentry"),
    ]
