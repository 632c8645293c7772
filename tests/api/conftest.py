"""The partners with their agreements, and room for as many calls as a test wants."""

import pytest

from tests.api.people import make_person
from tests.orders.conftest import partners

__all__ = ["partners"]


@pytest.fixture(autouse=True)
def unhurried(settings):
    settings.API_CALLS_A_MINUTE = 100_000


@pytest.fixture
def person(db, partners):
    """A customer with orders in several states; each value of theirs begins with the same canary."""
    return make_person("Kanarka")


@pytest.fixture
def other(person):
    return make_person("Zeisigo")
