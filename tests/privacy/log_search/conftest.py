"""Readers of the log, and a customer whom support looked at."""

import pytest

from privacy.policy.roles import Role
from tests.accounts.people import make_staff, staff_client
from tests.orders.conftest import partners
from tests.orders.factories import make_customer, packed

__all__ = ["partners"]


@pytest.fixture
def auditor(db):
    return make_staff(Role.AUDITOR, "reads@example.org")


@pytest.fixture
def officer(db):
    return make_staff(Role.PRIVACY_OFFICER, "asks@example.org")


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
def reading(auditor):
    """The auditor's browser."""
    return staff_client(auditor, "reads@example.org")
