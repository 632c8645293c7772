"""Keeps USE-3: whoever changes keys around the application leaves a note beside them, with the login they used.

The keys' database cannot ask the log whether a change was recorded, as the floor of the main database does
(``privacy.wall.floor``). So what is destroyed is noted whoever does it, and what is changed by any other login than the
site's own; the worker compares the notes with the log (``privacy.alerts.key_change_watch``). A TRUNCATE, which the owner
alone may do, leaves no note.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

from privacy.vault.keys import reaching_the_vault
from privacy.vault.models import DestroyedKey, EpochSecret, KeyChange, SubjectKey
from privacy.vault.triggers import install_trigger

FUNCTION = """
CREATE OR REPLACE FUNCTION note_key_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_ARGV[0] = 'people' THEN
        INSERT INTO public.privacy_keychange (id, at, db_role, label, operation, subject_id)
        SELECT gen_random_uuid(), clock_timestamp(), session_user, replace(TG_TABLE_NAME, '_', '.'), lower(TG_OP), subject_id
        FROM changed GROUP BY subject_id;
    ELSIF session_user::text <> ALL (TG_ARGV[1:]) THEN
        INSERT INTO public.privacy_keychange (id, at, db_role, label, operation)
        VALUES (gen_random_uuid(), clock_timestamp(), session_user, replace(TG_TABLE_NAME, '_', '.'), lower(TG_OP));
    END IF;
    RETURN NULL;
END $$
"""
KEYS, LEDGER, SECRETS = (model._meta.db_table for model in (SubjectKey, DestroyedKey, EpochSecret))
# Whom a destroyed key was of is noted; a change of what keys are wrapped in comes for all of them at once, and by our own
# logins twice a week. Sealing counts on the row and retires it: neither is here.
TRIGGERS = {
    KEYS: {
        "note_destroyed": "AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed {each} ('people')",
        "note_changed": "AFTER UPDATE OF id, subject_id, scope, wrapped, key_version, epoch_id ON {table} {each} ('all', {own})",
    },
    LEDGER: {"note_ended": "AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed {each} ('people')"},
    SECRETS: {"note_changed": "AFTER UPDATE OR DELETE ON {table} {each} ('all', {own})"},
}
STANDING = "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE tgenabled = 'A' AND NOT tgisinternal"
EACH = "FOR EACH STATEMENT EXECUTE FUNCTION public.note_key_change"


def missing_triggers() -> set[tuple[str, str]]:
    """Table and name of each that is gone or switched off."""
    with reaching_the_vault(), connections["vault"].cursor() as cursor:
        cursor.execute(STANDING)
        return {(table, name) for table, triggers in TRIGGERS.items() for name in triggers} - set(cursor.fetchall())


def install_key_floor(cursor: Any, logins: dict[str, str], owner: str) -> None:
    """As the owner of the keys' tables: the triggers, and that the worker's login reads what they note.

    ``logins`` are the site's by kind of process; none where the site is the owner itself, which is then its own login.
    """
    notes = KeyChange._meta.db_table
    cursor.execute(FUNCTION)
    cursor.execute("REVOKE ALL ON FUNCTION note_key_change() FROM PUBLIC")
    for login in logins.values():
        cursor.execute(f'REVOKE ALL ON {notes} FROM "{login}"')
    if "worker" in logins:
        cursor.execute(f'GRANT SELECT, DELETE ON {notes} TO "{logins["worker"]}"')
    own = ", ".join(f"'{login}'" for login in sorted(set(logins.values()) or {owner}))
    for table, triggers in TRIGGERS.items():
        for name, definition in triggers.items():
            install_trigger(cursor, table, name, definition.format(table=table, each=EACH, own=own))
