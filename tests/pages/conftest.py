"""The world that all checks of the pages look at, made once a module."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django.live_server_helper import LiveServer

from tests.databases import TestDatabases
from tests.pages.world import World, make_world


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, test_databases: TestDatabases) -> Iterator[World]:
    """Committed once for the whole module: a test that changes something has to do so in a transaction (``db``)."""
    with django_db_blocker.unblock():
        test_databases.reset()
        try:
            yield make_world()
        finally:
            test_databases.reset()
            cache.clear()


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    """The address of a web server that shows the world."""
    server = LiveServer("localhost")
    yield server.url
    server.stop()
