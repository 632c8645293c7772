from itertools import product

import pytest
from django.db import ProgrammingError, connection, transaction
from psycopg2.errors import InsufficientPrivilege

from audit.actions import integrate_entries
from audit.models import Entry, Leaf
from privacy.wall.context import entered
from privacy.wall.logins import Login

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-2")]

CHANGES = [
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
]
TABLES = [
    ("audit_entry", "outcome"),
    ("audit_leaf", "index"),
    ("audit_checkpoint", "size"),
    ("audit_verification", "entries"),
]


def assert_refused(statement, *parameters):
    with pytest.raises(ProgrammingError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
    assert isinstance(error.value.__cause__, InsufficientPrivilege)


@pytest.mark.django_db
def test_web_role_changes_nothing_in_the_log():
    for (table, column), change in product(TABLES, CHANGES):
        assert_refused(change.format(table=table, column=column))


@pytest.mark.usefixtures("worker")
def test_worker_role_changes_nothing_in_the_log():
    for (table, column), change in product(TABLES, CHANGES):
        assert_refused(change.format(table=table, column=column))


@pytest.mark.django_db
@pytest.mark.parametrize(("column", "value"), [("at", "2020-01-01"), ("transaction", "1"), ("db_role", "somebody")])
def test_web_role_cannot_forge_what_the_database_says(column, value):
    assert_refused(
        f"INSERT INTO audit_entry (id, event, actor_role, actor_name, object_label, case_label, purpose,"
        f" categories, fields, outcome, {column}) VALUES"
        " (gen_random_uuid(), 'x', 'x', '', '', '', '', '{}', '{}', 'ok', %s)",
        value,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("login", [Login.GATE, Login.STAFF, Login.AUDITOR])
def test_no_login_of_the_site_adds_to_the_tree(login):
    with entered(login):
        for table in ("audit_leaf", "audit_checkpoint", "audit_verification"):
            assert_refused(f"INSERT INTO {table} DEFAULT VALUES")


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("login", ["market_guard", "postgres"])
def test_the_keeper_and_a_superuser_are_refused_by_the_trigger(owner_connection, write, login):
    write()
    integrate_entries()
    database = owner_connection("default")

    def attempt(mode, statement):
        with database.cursor() as cursor:
            cursor.execute(f"SET session_replication_role = {mode}")
            cursor.execute(f"SET ROLE {login}")
            cursor.execute(statement)

    replication = ["origin"] if login == "market_guard" else ["origin", "replica"]

    for (table, column), change, mode in product(TABLES, CHANGES, replication):
        with pytest.raises(InsufficientPrivilege, match="append-only"):
            attempt(mode, change.format(table=table, column=column))
        database.rollback()

    assert (Entry.objects.count(), Leaf.objects.count()) == (1, 1)
