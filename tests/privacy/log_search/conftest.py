"""Readers of the log, and a customer whom support looked at."""

import pytest

from privacy.policy.roles import Role
from tests.accounts.people import make_staff, staff_client
from tests.orders.conftest import partners
from tests.privacy.access.silences.conftest import agent, buyer, second

__all__ = ["agent", "buyer", "partners", "second"]


@pytest.fixture
def auditor(db):
    return make_staff(Role.AUDITOR, "reads@example.org")


@pytest.fixture
def officer(db):
    return make_staff(Role.PRIVACY_OFFICER, "asks@example.org")


@pytest.fixture
def reading(auditor):
    """The auditor's browser."""
    return staff_client(auditor, "reads@example.org")
