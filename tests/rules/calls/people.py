"""Who acts in the calls: people whose every value is marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marketplace.accounts.models import User
from orders.lifecycle.models import Order
from privacy.access.gate import unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from tests.accounts import people
from tests.orders import factories
from tests.orders.factories import actor
from tests.rules import canaries

__all__ = ["EVERYTHING", "TEST", "actor", "customer", "done", "order", "protected", "staff"]

EVERYTHING = (Purpose.ACCOUNT, *factories.ORDER_PURPOSES, Purpose.IMPROVEMENT)
TEST = Actor.job("test")


def customer() -> User:
    return people.make_customer(canaries.mailbox(), canaries.NAME, EVERYTHING)


def protected() -> User:
    """With a second factor."""
    user = customer()
    people.turn_on(user)
    return user


def staff(role: Role = Role.SUPPORT, **how: Any) -> User:
    return people.make_staff(role, canaries.mailbox(), **how)


def order(make: Callable[..., Order] = factories.place, **how: Any) -> Order:
    """Of a marked customer, brought as far as ``make`` does."""
    return make(**{"user": customer(), "address": canaries.ADDRESS, **how})


def done(act: Callable[[], Any]) -> Any:
    with unit_of_work():
        return act()
