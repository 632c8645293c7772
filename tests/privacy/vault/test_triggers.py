"""A migration puts the triggers of both databases right, and disturbs nobody where they are right."""

from contextlib import closing

import pytest

from privacy.vault.clearing import CLEARED
from privacy.vault.floor import TRIGGERS, missing_triggers
from privacy.vault.grants import append_only_models
from tests.databases import run_command, slot_environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-2")]


def migrate(alias):
    run_command(slot_environment(), "migrate", "--database", alias, role="owner")


@pytest.mark.parametrize("alias", ["default", "vault"])
def test_where_nothing_differs_writers_go_on(owner_connection, alias):
    tables = {model._meta.db_table for model in append_only_models(alias)} | (TRIGGERS.keys() if alias == "vault" else set())
    with closing(owner_connection(alias)) as writer, writer.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ROW EXCLUSIVE MODE")
        if alias == "vault":  # as the server does while it cleans up
            cursor.execute(f"LOCK TABLE {', '.join(model._meta.db_table for model in CLEARED)} IN SHARE UPDATE EXCLUSIVE MODE")

        migrate(alias)


@pytest.mark.parametrize(
    "spoil",
    [
        "DROP TRIGGER note_destroyed ON privacy_subjectkey",
        "ALTER TABLE privacy_destroyedkey DISABLE TRIGGER note_ended",
        """CREATE OR REPLACE TRIGGER note_destroyed AFTER UPDATE ON privacy_subjectkey EXECUTE FUNCTION note_key_change('none');
        ALTER TABLE privacy_subjectkey ENABLE ALWAYS TRIGGER note_destroyed""",
    ],
)
def test_what_was_taken_away_stands_again(owner_connection, spoil):
    with closing(owner_connection("vault")) as admin, admin.cursor() as cursor:
        admin.autocommit = True
        cursor.execute(spoil)

        migrate("vault")

        cursor.execute("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'note_destroyed'")
        assert "AFTER DELETE" in cursor.fetchone()[0]
    assert missing_triggers() == set()
