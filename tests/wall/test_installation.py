"""How the wall comes into a database: laid by a superuser, installed by the owner, made right again, opened for a migration."""

import base64
import os
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from types import SimpleNamespace
from unittest.mock import Mock, patch

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, models
from psycopg2.errors import LockNotAvailable

from marketplace.database_roles import MAIN_OWNER, MAIN_ROLES, VAULT_OWNER, prepare_cluster
from marketplace.environment import ROOT
from privacy.declarations.walls import Side, Wall
from privacy.retention.models import PurgeRun
from privacy.vault import patience
from privacy.vault.patience import TablesBusy
from privacy.wall import shape
from privacy.wall.catalog import standing_shapes
from privacy.wall.errors import FoundationMissing, RoleShared, Undeclared
from privacy.wall.foundation import key_id
from privacy.wall.install import differences, given, refuse_undeclared, require_foundation, require_own_roles, statements, without_wall
from privacy.wall.logins import Login
from privacy.wall.shape import Right, declared_wall, rights_of_logins
from tests.databases import process_environment, slot_environment
from tests.wall.clusters import lay
from tests.wall.people import enter
from tests.wall.test_attacks import attempt, look_around, run

pytestmark = pytest.mark.promise("PROTECT-2")


def owner(spoiled):
    return spoiled.cluster.connect(spoiled.database, MAIN_OWNER)


def install(spoiled):
    """What `migrate` does at its end."""
    with closing(owner(spoiled)) as connection, connection.cursor() as cursor:
        found = differences(cursor)
        for table, wanted, standing in found:
            for statement in statements(table, wanted, standing):
                cursor.execute(statement)
    return [table for table, _, _ in found]


# Installing


def test_a_migrated_database_stands_as_declared(spoiled):
    assert install(spoiled) == []


SPOILED = {
    "policy dropped": "DROP POLICY wall_own ON orders_orderaddress",
    "policy loosened": "ALTER POLICY wall_own ON orders_orderaddress USING (true)",
    "policy for another role": "ALTER POLICY wall_own ON orders_orderaddress TO market_gate",
    "policy added": "CREATE POLICY later ON orders_orderaddress TO PUBLIC USING (true)",
    "wall off": "ALTER TABLE orders_orderaddress DISABLE ROW LEVEL SECURITY",
    "force off": "ALTER TABLE orders_orderaddress NO FORCE ROW LEVEL SECURITY",
    "right added": "GRANT DELETE ON orders_orderaddress TO market_customer",
    "right of a column added": "GRANT UPDATE (country) ON orders_orderaddress TO market_auditor",
    "right of everybody": "GRANT SELECT ON orders_orderaddress TO PUBLIC",
    "right taken": "REVOKE SELECT ON orders_orderaddress FROM market_customer",
    "right of the guard": "GRANT SELECT ON orders_orderaddress TO market_guard",
    "single foreign key": "ALTER TABLE orders_orderaddress ADD CONSTRAINT single FOREIGN KEY (order_id) REFERENCES orders_order (id)",
    "link dropped": "ALTER TABLE orders_orderaddress DROP CONSTRAINT orders_orderaddress_order_id_of_person",
}


def test_what_was_spoiled_is_found_and_made_right(spoiled):
    admin = spoiled.admin()
    for name, statement in SPOILED.items():
        run(admin, statement)

        assert install(spoiled) == ["orders_orderaddress"], name
        assert install(spoiled) == [], name


@contextmanager
def locked(connection, table):
    """A transaction on the site that does not end."""
    run(connection, f"BEGIN; LOCK TABLE {table} IN ACCESS SHARE MODE")
    yield
    run(connection, "ROLLBACK")


def test_a_table_in_use_is_waited_for_a_little_and_tried_again(transactional_db, owner_connection):
    with closing(owner_connection()) as busy, closing(owner_connection()) as admin:
        busy.autocommit = admin.autocommit = True
        run(admin, SPOILED["policy loosened"])
        with locked(busy, "orders_orderaddress"):
            variables = {**slot_environment(), "MARKETPLACE_DB_ROLE": "owner"}
            migrating = subprocess.Popen([sys.executable, "manage.py", "migrate", "--database", "default"], env=variables, cwd=ROOT)
            assert is_waiting(admin), "and everybody who wants the table waits behind it"
            assert not is_waiting(admin, wanted=0), "but not for long"

        assert migrating.wait(120) == 0
        with admin.cursor() as cursor:
            assert [table for table, _, _ in differences(cursor) if table == "orders_orderaddress"] == []


def is_waiting(admin, wanted=1):
    """Whether the owner waits for a lock, or has stopped to."""
    for _ in range(600):
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'market_owner' AND wait_event_type = 'Lock'"
        if run(admin, waiting) == [(wanted,)]:
            return wanted == 1
        time.sleep(0.1)
    return wanted != 1


def test_after_many_attempts_the_message_says_what_to_do(monkeypatch, db):
    busy = OperationalError()
    busy.__cause__ = LockNotAvailable()
    work = Mock(side_effect=busy)
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0)

    with pytest.raises(TablesBusy, match="Rights and triggers are as they were"):
        patience.patiently("default", work)
    assert work.call_count == patience.ATTEMPTS


def test_another_error_is_not_tried_again(db):
    with pytest.raises(OperationalError, match="away"):
        patience.patiently("default", Mock(side_effect=OperationalError("away")))


def test_a_table_that_nobody_declared_is_open_to_nobody(spoiled):
    with closing(owner(spoiled)) as connection:
        run(connection, "CREATE TABLE stranger (id int); GRANT SELECT ON stranger TO market_customer, market_staff")

    assert install(spoiled) == ["stranger"]
    assert install(spoiled) == []


def test_rights_are_spelled_as_postgresql_knows_them():
    rights = {Right("a", "SELECT", ""), Right("a", "UPDATE", "x"), Right("a", "UPDATE", "y"), Right("public", "SELECT", "")}

    assert list(given("t", rights)) == [
        'GRANT SELECT, UPDATE ("x"), UPDATE ("y") ON "t" TO "a"',
        'GRANT SELECT ON "t" TO PUBLIC',
    ]


def test_nobody_changes_what_may_only_be_added_to():
    granted = set(rights_of_logins(Wall.PUBLIC, append_only=True))

    assert {right.privilege for right in granted} == {"SELECT", "INSERT"}
    assert {right.role for right in granted} == set(MAIN_ROLES.values())


# Declaring


def test_a_model_that_keeps_silent_stops_a_migration():
    with patch.object(PurgeRun, "wall", None), pytest.raises(Undeclared, match=r"privacy\.PurgeRun does not say"):
        refuse_undeclared(using="default")


def test_the_keys_database_has_no_wall():
    with patch.object(PurgeRun, "wall", None):
        refuse_undeclared(using="vault")


def test_a_personal_record_is_walled_without_a_word():
    from orders.lifecycle.models import OrderAddress

    assert declared_wall(OrderAddress) == Wall.SUBJECT


def test_a_row_behind_a_parent_that_may_be_missing_is_own_where_there_is_none():
    parent = SimpleNamespace(db_table="parent_table", pk=SimpleNamespace(column="id"))
    field = SimpleNamespace(column="x_id", null=True, related_model=SimpleNamespace(_meta=parent))
    model = SimpleNamespace(_meta=SimpleNamespace(db_table="child", get_field=lambda name: field))

    assert shape.behind(model, "x") == "((x_id IS NULL) OR (EXISTS ( SELECT 1 FROM parent_table parent WHERE (parent.id = child.x_id))))"


def test_other_peoples_tables_and_the_log_are_declared_for_them():
    others = [model for model in shape.walled_models() if not hasattr(model, "wall") and model._meta.label_lower in shape.OTHERS]

    assert {model._meta.app_label for model in others} == {"admin", "auth", "contenttypes", "axes", "audit"}
    assert {declared_wall(model).side for model in others if model._meta.app_label != "audit"} == {Side.STAFF}
    assert all(isinstance(model._meta.pk, models.Field) for model in others)


# The foundation


def test_without_a_foundation_the_migration_says_what_to_do(spoiled):
    run(spoiled.admin(), "DROP SCHEMA wall CASCADE")

    with closing(owner(spoiled)) as connection, connection.cursor() as cursor, pytest.raises(FoundationMissing, match="sqlwall"):
        require_foundation(cursor)


@pytest.mark.parametrize("shared", [MAIN_OWNER, MAIN_ROLES[Login.STAFF]])
def test_a_role_for_two_logins_is_refused(spoiled, settings, shared):
    settings.RUNTIME_ROLES = {**settings.RUNTIME_ROLES, Login.CUSTOMER.value: shared}

    with closing(owner(spoiled)) as connection, connection.cursor() as cursor, pytest.raises(RoleShared):
        require_own_roles(cursor)


def test_the_foundation_is_laid_again_without_a_change(spoiled, attacker):
    before = run(spoiled.admin(), "SELECT * FROM wall.signing_key")

    lay(spoiled.cluster, spoiled.database)

    assert run(spoiled.admin(), "SELECT * FROM wall.signing_key") == before
    connection = spoiled.enter_as(Login.CUSTOMER)
    enter(connection, attacker)
    assert attacker.is_told_by(look_around(connection))


def test_a_new_key_and_the_old_one_hold_side_by_side(spoiled, attacker, settings):
    new = os.urandom(64)
    old = settings.WALL_SIGNING_KEY
    with patch.dict(spoiled.cluster.servers.secrets, {"WALL_SIGNING_KEY": base64.b64encode(new).decode()}):
        lay(spoiled.cluster, spoiled.database)

    for key in (old, new):
        settings.WALL_SIGNING_KEY = key
        connection = spoiled.enter_as(Login.CUSTOMER)
        enter(connection, attacker)
        assert attacker.is_told_by(look_around(connection))

    run(spoiled.admin(), "DELETE FROM wall.signing_key WHERE id = %s", key_id(old))
    settings.WALL_SIGNING_KEY = old
    connection = spoiled.enter_as(Login.CUSTOMER)
    enter(connection, attacker)
    assert "bad token" in attempt(connection, "SELECT * FROM orders_order")


def command(role, *arguments):
    variables = process_environment("marketplace", "marketplace_vault")
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], env={**variables, "MARKETPLACE_DB_ROLE": role}, cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip


def test_an_operator_pipes_the_same_to_a_superuser(spoiled, settings):
    printed = command("owner", "sqlwall")

    assert printed.returncode == 0, printed.stderr
    run(spoiled.admin(), printed.stdout.replace('"marketplace"', f'"{spoiled.database}"'))
    assert run(spoiled.admin(), "SELECT id FROM wall.signing_key") == [(key_id(settings.WALL_SIGNING_KEY),)]


def test_only_an_owner_prints_it():
    with pytest.raises(CommandError, match="MARKETPLACE_DB_ROLE=owner"):
        call_command("sqlwall")


def test_a_role_of_an_earlier_version_signs_in_no_more(spoiled):
    admin, servers = spoiled.admin(), spoiled.cluster.servers
    run(admin, "DROP ROLE IF EXISTS market_web; CREATE ROLE market_web LOGIN")
    try:
        prepare_cluster(admin, servers.secrets)
        assert run(admin, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'market_web'") == [(False,)]
    finally:
        run(admin, "DROP ROLE market_web")


def test_an_owner_inherits_the_schema_of_its_database(spoiled):
    for role in (MAIN_OWNER, VAULT_OWNER):
        assert run(spoiled.admin(), "SELECT rolinherit FROM pg_roles WHERE rolname = %s", role) == [(True,)]


# Migrating


class Editor:
    """What a migration hands to its functions."""

    def __init__(self, connection):
        self.connection = connection

    def execute(self, statement):
        run(self.connection, statement)


def test_a_data_migration_reaches_every_row_inside_without_wall_alone(spoiled, attacker, victim):
    change = "UPDATE orders_orderaddress SET country = 'FR' RETURNING subject_id"
    with closing(owner(spoiled)) as connection:
        assert run(connection, change) == []

        run(connection, "BEGIN")
        with without_wall(Editor(connection), "orders_orderaddress"):
            assert len(run(connection, change)) >= 2
        run(connection, "COMMIT")

        assert run(connection, change) == []
        with connection.cursor() as cursor:
            assert standing_shapes(cursor)["orders_orderaddress"].policies
