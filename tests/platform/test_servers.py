"""The embedded servers: shared by leases, private, and running again after a crash."""

import os
import signal
import stat
import subprocess
import sys

import psycopg2
import pytest

from marketplace.embedded import Lease, Servers, first_number, process_lives, remove
from marketplace.environment import ROOT
from tests.processes import wait_until


@pytest.fixture
def state(tmp_path):
    """A state directory whose path is private to us and too long for a socket."""
    directory = tmp_path / ("long" * 20) / "state"
    yield directory
    remove(directory)


def test_the_last_lease_stops_the_servers(state):
    first, second = Lease(state, durable=False), Lease(state, durable=False)

    servers = first.acquire()
    second.acquire()
    first.release()
    assert servers.is_running()

    second.release()
    assert not servers.is_running()


def test_a_killed_lease_holder_counts_as_gone(state):
    script = "import sys, time; from pathlib import Path; from marketplace.embedded import Lease; Lease(Path(sys.argv[1])).acquire(); time.sleep(99)"
    holder = subprocess.Popen([sys.executable, "-c", script, str(state)], cwd=ROOT, start_new_session=True)
    wait_until(lambda: Servers(state).is_running(), "the holder to start the servers")
    lease = Lease(state, durable=False)
    servers = lease.acquire()

    holder.kill()
    holder.wait()
    assert servers.is_running()

    lease.release()
    assert not servers.is_running()


def test_servers_start_again_after_everything_was_killed(state):
    lease = Lease(state, durable=False)
    servers = lease.acquire()
    with servers.connect("marketplace") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (id int)")
    connection.close()
    pids = [first_number(servers.layout.data / "postmaster.pid"), first_number(servers.layout.broker / "valkey.pid")]

    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    servers.start()

    with servers.connect("marketplace") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kept")
        assert cursor.fetchone() == (0,)
    connection.close()
    lease.release()


def test_a_lock_left_by_a_dead_server_is_not_taken_for_another_process(state):
    lease = Lease(state, durable=False)
    servers = lease.acquire()
    content = (servers.layout.data / "postmaster.pid").read_text()
    lease.release()
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True, **as_account(servers))
    (servers.layout.data / "postmaster.pid").write_text(f"{stranger.pid}\n{content.partition(chr(10))[2]}")

    lease.acquire()

    assert process_lives(stranger.pid)
    assert servers.is_running()
    lease.release()
    stranger.kill()
    stranger.wait()


def as_account(servers):
    account = servers.layout.account
    return {} if account.is_ours else {"user": account.uid, "group": account.gid, "extra_groups": []}


@pytest.mark.promise("PROTECT-2")
def test_the_servers_listen_on_private_sockets_with_passwords_only(state):
    with Lease(state, durable=False) as servers:
        assert stat.S_IMODE(servers.layout.sockets.stat().st_mode) == 0o700
        assert stat.S_IMODE(servers.layout.data.stat().st_mode) == 0o700
        with servers.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW listen_addresses")
            assert cursor.fetchone() == ("",)
        connection.close()
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(host=str(servers.layout.sockets), user="postgres", password="guess", dbname="postgres")


@pytest.mark.promise("PROTECT-2")
def test_no_role_of_the_site_is_a_superuser_and_only_owners_own(state):
    with Lease(state, durable=False) as servers, servers.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls")
        assert cursor.fetchall() == [("postgres",)]
        cursor.execute("SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datname LIKE 'marketplace%' ORDER BY 1")
        assert cursor.fetchall() == [("marketplace", "market_owner"), ("marketplace_vault", "vault_owner")]
        cursor.execute("SELECT has_database_privilege('market_web', 'marketplace_vault', 'CONNECT'), has_database_privilege('vault_user', 'marketplace', 'CONNECT')")
        assert cursor.fetchone() == (False, False)
    connection.close()


def test_no_permission_above_the_state_directory_changes(state):
    state.parent.mkdir(parents=True)
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in state.parents]

    with Lease(state, durable=False):
        pass

    assert [(path, path.stat().st_mode, path.stat().st_uid) for path in state.parents] == before
