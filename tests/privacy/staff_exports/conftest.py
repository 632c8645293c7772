"""A site on which exports are turned on, two members of staff, and two customers with an order each."""

import pytest

from privacy.policy.roles import Role
from tests.accounts.people import make_staff
from tests.orders.conftest import partners
from tests.orders.factories import confirmed, make_customer

__all__ = ["partners"]


@pytest.fixture(autouse=True)
def turned_on(settings):
    settings.STAFF_EXPORTS = True


@pytest.fixture
def asker(db):
    return make_staff(Role.SUPPORT, "asks@example.org")


@pytest.fixture
def officer(db):
    return make_staff(Role.PRIVACY_OFFICER, "decides@example.org")


@pytest.fixture
def orders(partners):
    return [confirmed(user=make_customer()) for _ in range(2)]
