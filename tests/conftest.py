"""Fixtures and rules that hold for every test.

Tests run as the worker and requests as whoever calls, on both databases, in random order, with the network blocked.
"""

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.cache import cache
from django.test import TransactionTestCase
from django.utils import translation

import audit.identifiers
from marketplace.embedded import Lease, Servers
from marketplace.translations import compile_catalogs
from privacy.wall.context import entered
from privacy.wall.engine.base import DatabaseWrapper
from privacy.wall.logins import Login
from tests.databases import TestDatabases, database_name
from tests.external import ExternalServers
from tests.processes import LiveWorker, Sandbox
from tests.settings import IS_EXTERNAL, SERVERS_STATE

BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
BROWSER_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)  # fmt: skip
DATABASE_FIXTURES = {"db", "transactional_db", "walled", "live_server", "work", "live_worker", "live_site", "sandbox"}
COMMITTING_FIXTURES = {"transactional_db", "walled", "live_server", "live_worker", "live_site", "sandbox"}


# The network


class NetworkBlocked(RuntimeError):
    """A test tried to leave this machine."""


def _refuse_strangers(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise NetworkBlocked(f"a test tried to reach {address[0]}")
        return connect(self, address)

    return guarded


socket.socket.connect = _refuse_strangers(socket.socket.connect)  # type: ignore[method-assign]
socket.socket.connect_ex = _refuse_strangers(socket.socket.connect_ex)  # type: ignore[method-assign]


# Collection


def browser_path() -> str | None:
    return next((path for path in BROWSERS if os.access(path, os.X_OK)), None)


def pytest_sessionstart(session: pytest.Session) -> None:
    compile_catalogs()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        allow_both_databases(item)
    if browser_path() is None:
        leave_out_browser_tests(items)


def allow_both_databases(item: pytest.Item) -> None:
    marker = item.get_closest_marker("django_db")
    fixtures = set(getattr(item, "fixturenames", ()))
    if marker is None and not fixtures & DATABASE_FIXTURES:
        return
    options = dict(marker.kwargs) if marker else {}
    if fixtures & COMMITTING_FIXTURES:
        options["transaction"] = True
    options.setdefault("databases", ["default", "vault"])
    item.add_marker(pytest.mark.django_db(**options), append=False)


def leave_out_browser_tests(items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.get_closest_marker("browser")]
    if left_out and os.environ.get("CI") == "true":
        pytest.exit("No browser was found, and with CI=true the browser tests may not be left out.", returncode=1)
    for item in left_out:
        item.add_marker(pytest.mark.skip(reason="NO BROWSER FOUND"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    left_out = [report for report in terminalreporter.getreports("skipped") if "NO BROWSER FOUND" in str(report.longrepr)]
    if left_out:
        terminalreporter.section("NO BROWSER", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(left_out)} browser tests were LEFT OUT: install chromium to run them.", red=True)


# Databases

# A test that moves the clock does not move the database's: its log has no month in another year.
audit.identifiers.time_ns = lambda: (time_machine.escape_hatch.time if time_machine.escape_hatch.is_travelling() else time).time_ns()


@pytest.fixture(autouse=True)
def wall_outside_transactions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test in one transaction (`db`) stays on the worker's login: no other could see what it prepares.

    Where a test commits (`transactional_db`, a live server, the pages' world) the wall is real.
    """
    marker = request.node.get_closest_marker("django_db")
    if marker is None or marker.kwargs.get("transaction"):
        return
    follow = DatabaseWrapper.follow
    monkeypatch.setattr(DatabaseWrapper, "follow", lambda self: None if self.in_atomic_block else follow(self))


@pytest.fixture
def walled(transactional_db: None) -> Callable[[UUID], AbstractContextManager[Any]]:
    """`with walled(subject_id):` is a unit of work by the customers' login, behind the wall of this person."""
    from privacy.access.gate import unit_of_work

    @contextmanager
    def enter(subject_id: UUID) -> Iterator[Any]:
        with entered(Login.CUSTOMER, subject_id), unit_of_work() as unit:
            yield unit

    return enter


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The servers of the tests, running: the embedded ones unless TEST_SERVERS says otherwise."""
    with Lease(SERVERS_STATE, durable=False, kind=ExternalServers if IS_EXTERNAL else Servers) as running:
        yield running


@pytest.fixture(scope="session")
def test_databases(servers: Servers) -> Iterator[TestDatabases]:
    databases = TestDatabases(servers)
    yield databases
    databases.drop()


@pytest.fixture(scope="session")
def django_db_setup(test_databases: TestDatabases, django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's own: databases cloned from a template, used as the runtime roles."""
    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            test_databases.reset()
            cache.clear()
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: test_databases.reset())
        yield


@pytest.fixture(autouse=True)
def clean_cache(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """The cache, and the checkpoints outside the database, go with the rows that a test leaves behind."""
    yield
    if request.node.get_closest_marker("django_db"):
        cache.clear()
        shutil.rmtree(Path(settings.STATE) / "log", ignore_errors=True)


@pytest.fixture(autouse=True)
def site_language() -> Iterator[None]:
    """The language that a request of a test client chose ends with the test."""
    yield
    translation.deactivate()


@pytest.fixture
def owner_connection(test_databases: TestDatabases) -> Iterator[Callable[[str], Any]]:
    """`owner_connection("vault")` is a psycopg2 connection as the superuser, outside the test's transaction."""
    opened = []

    def connect(alias: str = "default") -> Any:
        connection = test_databases.servers.connect(database_name(alias))
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def work(db: None) -> Iterator[Any]:
    """An open unit of work."""
    from privacy.access.gate import unit_of_work

    with unit_of_work() as unit:
        yield unit


# Processes


@pytest.fixture
def live_worker(transactional_db: None) -> Iterator[LiveWorker]:
    """A real Celery worker on this test's databases and broker."""
    worker = LiveWorker()
    worker.start()
    yield worker
    worker.kill9()


@pytest.fixture
def sandbox(live_server: Any, settings: Any) -> Iterator[Sandbox]:
    """The outside world of the demo, calling back the live server."""
    outside = Sandbox(live_server.url)
    settings.SITE_URL = live_server.url
    settings.SANDBOX_URL = outside.url
    outside.start()
    yield outside
    outside.kill9()


class LiveSite:
    """Everything a journey needs: the web server's address, the worker and the outside world."""

    def __init__(self, url: str, worker: LiveWorker, sandbox: Sandbox) -> None:
        self.url = url
        self.worker = worker
        self.sandbox = sandbox


@pytest.fixture
def live_site(live_server: Any, sandbox: Sandbox) -> Iterator[LiveSite]:
    """The site with a real worker and the sandbox."""
    worker = LiveWorker(SITE_URL=live_server.url, SANDBOX_URL=sandbox.url)
    worker.start()
    yield LiveSite(live_server.url, worker, sandbox)
    worker.kill9()


# The browser


@pytest.fixture(scope="session")
def base_url() -> None:
    """In place of the plugin's own, which pytest warns of: pages are named by their full address."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": browser_path(), "args": list(BROWSER_ARGUMENTS)}
