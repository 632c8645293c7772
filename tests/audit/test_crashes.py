"""The database's server dies with everybody in it: what was acknowledged is there, what was signed is in it, and the log goes on."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from audit.identifiers import uuid7
from marketplace import embedded
from marketplace.database_roles import MAIN_OWNER, VAULT_OWNER
from marketplace.embedded import Servers, first_number, postgres_binary, remove, runs_in
from marketplace.environment import EMBEDDED_ROLES, embedded_database_url
from tests.audit.conftest import ROW, take_everything_out
from tests.audit.processes import kill_server
from tests.audit.test_kills import Processes, forking
from tests.databases import TestDatabases, process_environment, run_command
from tests.processes import wait_until
from tests.settings import IS_EXTERNAL

pytestmark = [
    pytest.mark.promise("USE-3"),
    pytest.mark.skipif(IS_EXTERNAL, reason="what is killed is an embedded server of these tests' own, whatever the others use"),
]

WRITERS, CRASHES, WRITTEN = 6, 3, 40
TEMPLATES = {"marketplace": ("default", MAIN_OWNER), "marketplace_vault": ("vault", VAULT_OWNER)}


class Site:
    """A migrated site on a database server of its own."""

    def __init__(self, servers: Servers, state: Path, number: int) -> None:
        self._servers = servers
        self._state = state
        self.databases = {name: f"{name}_{number}" for name in TEMPLATES}
        for name, copy in self.databases.items():
            self._run("postgres", f"CREATE DATABASE {copy} OWNER {TEMPLATES[name][1]} TEMPLATE {name}_template")

    @property
    def variables(self) -> dict[str, str]:
        urls = {
            variable: embedded_database_url(self._servers.layout.state, self._servers.secrets, role, self.databases[database])
            for variable, (role, database) in EMBEDDED_ROLES.items()
        }
        return process_environment("", "", MARKETPLACE_STATE=str(self._state), MARKETPLACE_DB_ROLE="worker", **urls)

    @property
    def postmaster(self) -> int:
        return first_number(self._servers.layout.data / "postmaster.pid")

    def crash(self) -> None:
        kill_server(self.postmaster)

    def start(self) -> None:
        wait_until(lambda: not runs_in(self.postmaster, self._servers.layout.data), "the server to be gone")
        self._servers.start_servers()

    def connect(self) -> Any:
        return self._servers.connect(self.databases["marketplace"])

    def ask(self, statement: str, *parameters: Any) -> Any:
        """What one statement gives, as a superuser."""
        return self._run(self.databases["marketplace"], statement, *parameters)

    def write(self, number: int) -> None:
        for _ in range(number):
            self.ask(ROW, str(uuid7()))

    def leaves(self) -> list[UUID]:
        return [UUID(entry_id) for (entry_id,) in self.ask("SELECT entry_id::text FROM audit_leaf ORDER BY index")]

    def acknowledged(self) -> set[UUID]:
        return {UUID(line) for path in self._state.glob("committed-*") for line in path.read_text().split()}

    def outside(self) -> int:
        """How many entries the checkpoint outside the database covers."""
        path = self._state / "log" / "checkpoint"
        return int(path.read_text().splitlines()[1]) if path.exists() else 0

    def verify(self) -> None:
        """As the operator does; raises RuntimeError when the log does not hold."""
        run_command(self.variables, "verify_audit", "--quiet", role="worker")

    def _run(self, database: str, statement: str, *parameters: Any) -> Any:
        with closing(self._servers.connect(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else None


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory, test_databases: TestDatabases) -> Iterator[Servers]:
    """As durable as the site's own, with transactions that are prepared first."""
    state = tmp_path_factory.mktemp("crashes") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(embedded.POSTGRES_CONFIGURATION, "max_prepared_transactions", "2")
        own = Servers(state)
        try:
            own.start()
            test_databases.ensure_template()
            for name, (alias, owner) in TEMPLATES.items():
                copy_database(test_databases.servers, test_databases.template_name(alias), own, f"{name}_template", owner)
            with closing(own.connect("marketplace_template")) as connection:
                take_everything_out(connection)  # its transactions were counted by another server
            yield own
        finally:
            remove(state)


def copy_database(source: Servers, name: str, target: Servers, copy: str, owner: str) -> None:
    with closing(target.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"CREATE DATABASE {copy} OWNER {owner}")
    dump = subprocess.run([postgres_binary(target, "pg_dump"), name], env=access(source), capture_output=True, check=True)
    subprocess.run(
        [postgres_binary(target, "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-d", copy],
        env=access(target), input=dump.stdout, capture_output=True, check=True,
    )  # fmt: skip


def access(servers: Servers) -> dict[str, str]:
    """What libpq's programs need to enter as the superuser."""
    with closing(servers.connect()) as connection:
        given = connection.get_dsn_parameters()
    wanted = ("user", "host", "port", "sslmode", "sslrootcert")
    return {"PGPASSWORD": servers.secrets["POSTGRES_PASSWORD"], **{f"PG{name.upper()}": given[name] for name in wanted if given.get(name)}}


numbers = count(1)


@pytest.fixture
def site(mortal: Servers, tmp_path: Path) -> Iterator[Site]:
    own = Site(mortal, tmp_path, next(numbers))
    yield own
    mortal.start_servers()


@pytest.fixture
def processes(site: Site) -> Iterator[Processes]:
    with forking(site.variables) as started:
        yield started


def integrate(processes: Processes) -> None:
    """Once, to its end."""
    pid = processes.ask("integrate commit 1000")
    assert processes.ask(f"wait {pid}") == 0


def write_until(site: Site, processes: Processes, seeds: Iterator[int], number: int) -> list[int]:
    """Writers and an integration, which go on; returns them when so many entries more are acknowledged."""
    before = len(site.acknowledged())
    running = [processes.ask(f"write {next(seeds)}") for _ in range(WRITERS)] + [processes.ask("integrate never 0")]
    wait_until(lambda: len(site.acknowledged()) >= before + number, "the writers to write")
    return running


@pytest.mark.parametrize("is_killed", [True, False], ids=["with the integration", "alone"])
def test_server_that_dies_before_a_checkpoint_is_outside_has_what_was_signed(site, processes, is_killed):
    """Whether the checkpoint gets outside nevertheless or not: the restarted log has it, and goes on from it."""
    site.write(3)
    integrate(processes)
    site.write(4)

    if is_killed:
        pid = processes.ask("integrate commit 1")
        assert os.WTERMSIG(processes.ask(f"wait {pid}")) == signal.SIGKILL
        site.crash()
    else:
        pid = processes.ask(f"crash {site.postmaster}")
        assert processes.ask(f"wait {pid}") != 0
    site.start()

    assert site.ask("SELECT size FROM audit_checkpoint ORDER BY size") == [(3,), (7,)]
    assert site.outside() == (3 if is_killed else 7)
    integrate(processes)
    assert site.outside() == 7
    site.write(2)
    integrate(processes)
    assert site.outside() == len(site.leaves()) == 9
    site.verify()


def test_server_that_dies_again_and_again_loses_nothing_that_it_acknowledged(site, processes):
    seeds = count()
    for _ in range(CRASHES):
        running = write_until(site, processes, seeds, WRITTEN)
        site.crash()
        for pid in running:
            assert processes.ask(f"wait {pid}") != 0
        site.start()
        entries = {UUID(id) for (id,) in site.ask("SELECT id::text FROM audit_entry")}
        assert site.acknowledged() <= entries

    integrate(processes)

    assert len(site.acknowledged()) >= CRASHES * WRITTEN
    assert sorted(site.leaves()) == sorted(UUID(id) for (id,) in site.ask("SELECT id::text FROM audit_entry"))
    site.verify()


def test_prepared_transaction_is_waited_for_over_a_crash(site, processes):
    """Two-phase commit: until it ends nobody knows whether its entries are in the log, and nothing may pass them."""
    prepared, later = uuid7(), uuid7()
    with closing(site.connect()) as connection, connection.cursor() as cursor:
        connection.tpc_begin("two phases")
        cursor.execute(ROW, [str(prepared)])
        connection.tpc_prepare()
    site.ask(ROW, str(later))

    integrate(processes)
    site.crash()
    site.start()
    integrate(processes)
    assert site.leaves() == []

    site.ask("COMMIT PREPARED 'two phases'")
    integrate(processes)
    assert site.leaves() == [prepared, later]
    site.verify()


def test_embedded_server_prepares_no_transactions(test_databases):
    with closing(test_databases.servers.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW max_prepared_transactions")
        assert cursor.fetchone() == ("0",)
