"""The partners and their agreements, and a person about whom everything is held."""

import pytest

from tests.orders.conftest import partners
from tests.privacy.rights.people import full_person

__all__ = ["partners"]


@pytest.fixture
def person(db, partners):
    return full_person()


@pytest.fixture
def other(person):
    return full_person()
