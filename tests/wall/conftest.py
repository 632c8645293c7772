"""Real logins and real commits: an attack comes in through one of several doors to a migrated database of its own."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from privacy.wall.logins import Login
from tests.databases import TestDatabases
from tests.settings import SLOT
from tests.wall.clusters import BOUNCER, OLDER, ROLE, Cluster, bouncer, embedded_cluster, older_cluster, patiently
from tests.wall.people import Person, make_person

DATABASE = f"attacked_{SLOT}"


@dataclass
class Door:
    """A database to attack and the port through which its customers come."""

    cluster: Cluster
    database: str
    port: int
    opened: list[Any] = field(default_factory=list)

    def enter_as(self, login: Login, **options: Any) -> Any:
        """A new connection; outside a transaction each statement commits."""
        port = self.port if login is Login.CUSTOMER else self.cluster.port
        return self._kept(patiently(partial(self.cluster.connect, self.database, ROLE[login], port=port, **options)))

    def admin(self) -> Any:
        """A superuser's connection, past the pooler."""
        return self._kept(self.cluster.connect(self.database))

    def _kept(self, connection: Any) -> Any:
        self.opened.append(connection)
        return connection

    def leave(self) -> None:
        while self.opened:
            self.opened.pop().close()


@pytest.fixture(scope="session")
def embedded(test_databases: TestDatabases) -> Iterator[Cluster]:
    cluster = embedded_cluster(test_databases)
    cluster.clone(DATABASE)
    yield cluster
    cluster.drop(DATABASE)


@pytest.fixture(scope="session")
def older(test_databases: TestDatabases) -> Iterator[Cluster]:
    if not OLDER.exists():
        pytest.skip(f"PostgreSQL 15 is not installed in {OLDER}: apt-get install postgresql-15")
    with older_cluster(test_databases.servers) as cluster:
        cluster.clone(DATABASE)
        yield cluster


def pooled(cluster: Cluster, *, wipes: bool) -> Iterator[int]:
    if not BOUNCER.exists():
        pytest.skip(f"PgBouncer is not installed as {BOUNCER}: apt-get install pgbouncer")
    with bouncer(cluster, wipes=wipes) as port:
        yield port


@pytest.fixture(scope="session")
def pool(embedded: Cluster) -> Iterator[int]:
    yield from pooled(embedded, wipes=True)


@pytest.fixture(scope="session")
def careless_pool(embedded: Cluster) -> Iterator[int]:
    """A pooler that hands a session on as somebody left it."""
    yield from pooled(embedded, wipes=False)


POOLS = {"pooled": "pool", "careless": "careless_pool"}


def open_door(request: pytest.FixtureRequest, name: str) -> Door:
    cluster: Cluster = request.getfixturevalue("older" if name == "older" else "embedded")
    port = request.getfixturevalue(POOLS[name]) if name in POOLS else cluster.port
    return Door(cluster, DATABASE, port)


@pytest.fixture(params=["embedded", "older", "pooled"])
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    """Each server, and the pooler, one after the other."""
    opened = open_door(request, request.param)
    yield opened
    opened.leave()


@pytest.fixture(params=["embedded", "older"])
def spoiled(request: pytest.FixtureRequest) -> Iterator[Door]:
    """A database of this test's own on each server, from which it may take things away."""
    opened = open_door(request, request.param)
    opened.database = f"spoiled_{SLOT}"
    opened.cluster.clone(opened.database)
    yield opened
    opened.leave()
    opened.cluster.drop(opened.database)


@pytest.fixture
def person(request: pytest.FixtureRequest) -> Callable[[], Person]:
    """Makes somebody in the database that this test attacks."""
    opened: Door = request.getfixturevalue("door" if "door" in request.fixturenames else "spoiled")

    def make() -> Person:
        with closing(opened.admin()) as admin:
            return make_person(admin)

    return make


@pytest.fixture
def attacker(person: Callable[[], Person]) -> Person:
    return person()


@pytest.fixture
def victim(person: Callable[[], Person]) -> Person:
    return person()
