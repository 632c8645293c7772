"""Keeps PROTECT-3: what two people must decide stands in the database only as they decided it, whichever login writes it.

That the second person is another than the first is a constraint of the proposal itself.
"""

from __future__ import annotations

from typing import Any

from privacy.wall.triggers import Trigger

STANDING = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = ANY (%s)"
REFUSAL = "USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME"
# A row is written while its decision is still being carried out, so the question waits for the commit.
UNDECIDED = f"""
DECLARE
  written jsonb := to_jsonb(NEW) || jsonb_build_object('hold', NEW.id);
  decision uuid := written ->> TG_ARGV[0];
BEGIN
  IF decision IS NOT NULL AND NOT EXISTS (
    SELECT FROM public.privacy_proposal
    WHERE id = decision AND state = 'performed' AND kind = ANY (TG_ARGV[1:])
    AND NOT EXISTS (
      SELECT FROM jsonb_each(parameters) AS asked
      WHERE CASE
        WHEN asked.key IN ('hold', 'role', 'purpose', 'categories', 'ground') THEN written -> asked.key <> asked.value
        WHEN asked.key = 'until' THEN (written ->> 'until')::timestamptz > (asked.value #>> '{{}}')::timestamptz
        WHEN asked.key = 'days' THEN
          (written ->> 'ends_at')::timestamptz > (written ->> 'begins_at')::timestamptz + make_interval(hours => 24 * asked.value::int)
      END
    )
  ) THEN
    RAISE EXCEPTION 'nobody decided this row of %', TG_TABLE_NAME
    {REFUSAL};
  END IF;
  RETURN NULL;
END
"""  # noqa: S608 - a constant
# Which entries a person may not read was decided with the rest.
UNLISTED = f"""
BEGIN
  IF NOT EXISTS (
    SELECT FROM public.privacy_silence JOIN public.privacy_proposal ON privacy_proposal.id = proposal_id,
    jsonb_array_elements_text(parameters -> 'entries') AS listed
    WHERE privacy_silence.id = NEW.silence_id AND listed::uuid = NEW.entry_id
  ) THEN
    RAISE EXCEPTION 'nobody decided this row of %', TG_TABLE_NAME
    {REFUSAL};
  END IF;
  RETURN NULL;
END
"""
# Whoever may end something early may not bring it back.
LATER = f"""
DECLARE
  before timestamptz := to_jsonb(OLD) ->> TG_ARGV[0];
  now_ends timestamptz := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
  IF now_ends <> before AND (now_ends > before OR before <= now()) THEN
    RAISE EXCEPTION '% of % only comes sooner, and not once it came', TG_ARGV[0], TG_TABLE_NAME
    {REFUSAL};
  END IF;
  RETURN NULL;
END
"""
# What was asked is what was decided, and what has ended has ended.
CHANGED = f"""
DECLARE
  before jsonb := to_jsonb(OLD);
  name text;
BEGIN
  FOREACH name IN ARRAY TG_ARGV LOOP
    IF before -> name IS DISTINCT FROM to_jsonb(NEW) -> name THEN
      RAISE EXCEPTION '% of % stays as it was asked', name, TG_TABLE_NAME
      {REFUSAL};
    END IF;
  END LOOP;
  IF coalesce(before ->> 'ended_at', before ->> 'released_at') IS NOT NULL AND before <> to_jsonb(NEW) THEN
    RAISE EXCEPTION 'what ended in % stays as it is', TG_TABLE_NAME
    {REFUSAL};
  END IF;
  RETURN NULL;
END
"""
# All of it is kept as evidence.
GONE = f"""
BEGIN
  RAISE EXCEPTION 'rows of % stay', TG_TABLE_NAME {REFUSAL};
END
"""
FUNCTIONS = {
    "privacy_refuse_undecided": UNDECIDED,
    "privacy_refuse_unlisted": UNLISTED,
    "privacy_refuse_later": LATER,
    "privacy_refuse_changed": CHANGED,
    "privacy_refuse_gone": GONE,
}
TABLES = (
    "privacy_proposal",
    "privacy_matrixoverride",
    "privacy_hold",
    "privacy_staffexport",
    "privacy_silence",
    "privacy_silencedentry",
)
EXCEPTION = ("proposal_id", "role", "purpose", "categories")
HELD = ("subject_id", "ground", "until", "placed_at", "placed_by")
ASKED = ("kind", "parameters", "why", "proposed_at", "proposed_by", "proposed_role")


def decided_triggers() -> set[Trigger]:
    return {
        decided("privacy_matrixoverride", "proposal_id", "matrix-override", columns=", ".join(EXCEPTION)),
        decided("privacy_hold", "release_id", "hold-release", columns="release_id"),
        decided("privacy_staffexport", "proposal_id", "staff-export", "log-bundle", columns="proposal_id"),
        decided("privacy_silence", "proposal_id", "silence", columns="proposal_id, ground, until"),
        on_change("privacy_silencedentry", "decided_by_two", "INSERT OR UPDATE", "privacy_refuse_unlisted"),
        on_change("privacy_matrixoverride", "ends_sooner", "UPDATE", "privacy_refuse_later", "ends_at"),
        on_change("privacy_matrixoverride", "stays_as_asked", "UPDATE", "privacy_refuse_changed", "begins_at"),
        on_change("privacy_silence", "ends_sooner", "UPDATE", "privacy_refuse_later", "until"),
        on_change("privacy_silence", "stays_as_asked", "UPDATE", "privacy_refuse_changed", "subject_id", "begun_at"),
        on_change("privacy_hold", "stays_as_asked", "UPDATE", "privacy_refuse_changed", *HELD),
        on_change("privacy_proposal", "stays_as_asked", "UPDATE", "privacy_refuse_changed", *ASKED),
        *(on_change(table, "never_goes", "DELETE", "privacy_refuse_gone") for table in TABLES),
    }


def decided(table: str, decision: str, *kinds: str, columns: str) -> Trigger:
    """Rows of this table refer by the column ``decision`` to a proposal of one of these kinds."""
    made = f"CREATE CONSTRAINT TRIGGER decided_by_two AFTER INSERT OR UPDATE OF {columns} ON public.{table} DEFERRABLE INITIALLY DEFERRED"
    return Trigger(table, "decided_by_two", f"{made} FOR EACH ROW EXECUTE FUNCTION privacy_refuse_undecided({literals(decision, *kinds)})")


def on_change(table: str, name: str, change: str, function: str, *columns: str) -> Trigger:
    made = f"CREATE TRIGGER {name} AFTER {change} ON public.{table}"
    return Trigger(table, name, f"{made} FOR EACH ROW EXECUTE FUNCTION {function}({literals(*columns)})")


def literals(*words: str) -> str:
    return ", ".join(f"'{word}'" for word in words)


def install_decisions(cursor: Any) -> None:
    """As the owner of the tables: the functions alone, which lock nothing."""
    for name, body in FUNCTIONS.items():
        cursor.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")


def loose_functions(cursor: Any) -> set[str]:
    """Names of those that are missing or say something else. Empty where all is well."""
    cursor.execute(STANDING, [list(FUNCTIONS)])
    return {name for name, _body in FUNCTIONS.items() ^ set(cursor.fetchall())}
