"""The test harness itself keeps its word."""

import socket

import pytest
from django.db import ProgrammingError, connection, connections
from django.db.utils import DatabaseError
from playwright.sync_api import Error

from tests.conftest import NetworkBlocked


@pytest.mark.django_db
@pytest.mark.parametrize(("alias", "role"), [("default", "market_worker"), ("vault", "vault_user")])
def test_tests_run_as_the_runtime_role(alias, role):
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid)"
            " FROM pg_roles WHERE rolname = current_user"
        )

        assert cursor.fetchone() == (role, False, False)


@pytest.mark.django_db
@pytest.mark.parametrize("alias", ["default", "vault"])
def test_the_runtime_role_may_not_make_tables(alias):
    with connections[alias].cursor() as cursor, pytest.raises((ProgrammingError, DatabaseError)):
        cursor.execute("CREATE TABLE mine (id int)")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_a_committing_test_leaves_nothing_behind(turn, owner_connection):
    other = owner_connection("default")
    with other, other.cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (id int)")

    assert "left_behind" in connection.introspection.table_names()


def test_the_network_is_blocked():
    with pytest.raises(NetworkBlocked), socket.socket() as client:
        client.connect(("192.0.2.1", 80))


def test_a_live_worker_runs_as_the_worker_role_and_can_be_killed(live_worker, owner_connection):
    with owner_connection("default") as other, other.cursor() as cursor:
        cursor.execute("SELECT 1")

    live_worker.kill9()
    live_worker.start()

    assert live_worker.pid


@pytest.mark.browser
def test_the_browser_reaches_the_live_server_and_nothing_else(page, live_server):
    page.goto(f"{live_server.url}/livez")
    assert "alive" in page.content()

    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.com/")
