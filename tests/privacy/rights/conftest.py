"""The partners and their agreements, a customer with one order, an officer, and a person about whom everything is held."""

import pytest

from privacy.policy.roles import Role
from tests.orders.conftest import partners
from tests.orders.factories import actor, client_of, make_customer, packed
from tests.privacy.rights.people import full_person

__all__ = ["partners"]


@pytest.fixture
def person(db, partners):
    return full_person()


@pytest.fixture
def other(person):
    return full_person()


@pytest.fixture
def buyer(db, partners):
    user = make_customer()
    packed(user=user)
    return user


@pytest.fixture
def client(buyer):
    return client_of(buyer)


@pytest.fixture
def officer(db):
    return actor(Role.PRIVACY_OFFICER)
