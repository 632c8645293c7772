"""A customer whom support looked at, and the staff who withhold entries."""

import pytest

from privacy.policy.roles import Role
from tests.accounts.people import make_staff
from tests.orders.conftest import partners
from tests.orders.factories import client_of, make_customer, packed

__all__ = ["partners"]


@pytest.fixture
def officer(db):
    return make_staff(Role.PRIVACY_OFFICER, "asks@example.org", enrolled=False)


@pytest.fixture
def second(db):
    return make_staff(Role.ADMINISTRATOR, "decides@example.org", enrolled=False)


@pytest.fixture
def agent(db):
    return make_staff(Role.SUPPORT, "looks@example.org", enrolled=False)


@pytest.fixture
def buyer(partners):
    user = make_customer()
    packed(user=user)
    return user


@pytest.fixture
def client(buyer):
    return client_of(buyer)
