from itertools import product

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction
from psycopg2.errors import InsufficientPrivilege

from audit.actions import integrate_entries
from audit.identifiers import uuid7
from audit.models import Entry, Leaf, Publication, Retirement
from privacy.wall.context import entered
from privacy.wall.logins import Login

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-2")]

CHANGES = [
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
]
ADDED_TO = [model for model in apps.get_app_config("audit").get_models() if model is not Publication]
TABLES = [(model._meta.db_table, model._meta.concrete_fields[-1].column) for model in ADDED_TO]
LOGINS = [Login.GATE, Login.CUSTOMER, Login.STAFF, Login.AUDITOR, Login.WORKER]


def entered_by(login):
    return entered(login, uuid7() if login is Login.CUSTOMER else None)


def assert_refused(statement, *parameters):
    with pytest.raises(ProgrammingError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
    assert isinstance(error.value.__cause__, InsufficientPrivilege)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("login", LOGINS)
def test_no_login_changes_the_log(login):
    with entered_by(login):
        for (table, column), change in product(TABLES, CHANGES):
            assert_refused(change.format(table=table, column=column))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("login", LOGINS)
def test_no_login_forges_what_the_database_says(login):
    with entered_by(login):
        for column, value in (("at", "2020-01-01"), ("transaction", "1"), ("db_role", "somebody")):
            assert_refused(
                f"INSERT INTO audit_entry (id, event, actor_role, actor_name, object_label, case_label, purpose,"
                f" categories, fields, outcome, {column}) VALUES"
                " (gen_random_uuid(), 'x', 'x', '', '', '', '', '{}', '{}', 'ok', %s)",
                value,
            )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("login", LOGINS)
def test_no_login_but_the_workers_adds_to_the_tree(login):
    by_nobody = {Retirement} if login is Login.WORKER else set(apps.get_app_config("audit").get_models()) - {Entry}
    with entered_by(login):
        for model in by_nobody:
            assert_refused(f"INSERT INTO {model._meta.db_table} DEFAULT VALUES")


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
