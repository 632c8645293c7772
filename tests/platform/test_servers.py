"""The embedded servers: shared by leases, private, and running again after a crash."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from marketplace import embedded
from marketplace.embedded import Lease, ServerFailed, Servers, first_number, process_lives, remove
from marketplace.environment import ROOT
from tests.processes import wait_until

HOLDER = """
import sys, time
from pathlib import Path
from marketplace.embedded import Lease
Lease(Path(sys.argv[1])).acquire()
time.sleep(99)
"""


@pytest.fixture
def state(tmp_path):
    """A state directory that others cannot reach, its path too long for a socket."""
    directory = tmp_path / ("long" * 20) / "state"
    yield directory
    remove(directory)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Servers that run, from copies of their programs, for all the tests that only look at them."""
    directory = tmp_path_factory.mktemp("running") / "state"
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in directory.parents]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "can_reach", lambda path, account: False)
        with Lease(directory, durable=False) as servers:
            yield servers, before
    remove(directory)


@pytest.fixture
def superuser(running):
    connection = running[0].connect()
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def test_the_last_lease_stops_the_servers(state):
    first, second = Lease(state, durable=False), Lease(state, durable=False)

    servers = first.acquire()
    second.acquire()
    first.release()
    assert servers.is_running()

    second.release()
    assert not servers.is_running()


def test_a_start_that_fails_stops_what_it_had_started(state, monkeypatch):
    def fail(servers):
        raise ServerFailed("no broker today")

    monkeypatch.setattr(embedded, "start_valkey", fail)

    with pytest.raises(ServerFailed, match="no broker"):
        Lease(state, durable=False).acquire()

    assert not embedded.postgres_answers(Servers(state))


def test_a_killed_lease_holder_counts_as_gone(state):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(state)], cwd=ROOT, start_new_session=True)
    wait_until(lambda: Servers(state).is_running(), "the holder to start the servers")
    lease = Lease(state, durable=False)
    servers = lease.acquire()

    holder.kill()
    holder.wait()
    assert servers.is_running()

    lease.release()
    assert not servers.is_running()


def test_what_was_committed_is_there_after_everything_was_killed(state):
    lease = Lease(state)
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
def test_the_servers_listen_on_private_sockets_alone(running, superuser):
    layout = running[0].layout

    superuser.execute("SHOW listen_addresses")

    assert superuser.fetchone() == ("",)
    assert stat.S_IMODE(layout.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(layout.data.stat().st_mode) == 0o700


@pytest.mark.promise("PROTECT-2")
def test_a_wrong_password_is_refused(running):
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(host=str(running[0].layout.sockets), user="postgres", password="guess", dbname="postgres")


@pytest.mark.promise("PROTECT-2")
def test_no_role_of_the_site_is_a_superuser_and_only_owners_own(superuser):
    superuser.execute("SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls")
    powerful = superuser.fetchall()
    superuser.execute("SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datname LIKE 'marketplace%' ORDER BY 1")
    owners = superuser.fetchall()

    assert powerful == [("postgres",)]
    assert owners == [("marketplace", "market_owner"), ("marketplace_vault", "vault_owner")]


@pytest.mark.promise("PROTECT-2")
@pytest.mark.parametrize(
    ("role", "database"),
    [
        ("market_gate", "marketplace_vault"),
        ("market_worker", "marketplace_vault"),
        ("market_owner", "marketplace_vault"),
        ("vault_user", "marketplace"),
    ],
)
def test_data_and_keys_are_open_to_different_roles(superuser, role, database):
    superuser.execute("SELECT has_database_privilege(%s, %s, 'CONNECT')", [role, database])

    assert superuser.fetchone() == (False,)


def test_servers_in_use_are_not_removed(running):
    with pytest.raises(SystemExit, match="in use"):
        embedded.main(str(running[0].layout.state))

    assert running[0].is_running()


def test_programs_that_the_servers_account_cannot_reach_are_copied(running):
    layout = running[0].layout
    program = Path(f"/proc/{first_number(layout.data / 'postmaster.pid')}/exe").readlink()

    assert program.is_relative_to(layout.home)


def test_no_permission_above_the_state_directory_changes(running):
    _, before = running

    assert [(path, path.stat().st_mode, path.stat().st_uid) for path, _, _ in before] == before
