"""The account page behind the wall against the same page by one login that sees everything, connections kept in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest.mock import patch

from django.db import connection
from django.urls import reverse

from benchmarks.first_pages import make_customer, visit
from benchmarks.rounds import Row, times_as_long
from orders.catalogue.actions import add_product
from orders.catalogue.models import Product
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor
from privacy.wall.engine.base import DatabaseWrapper

ORDERS = 20
LOOKS = 10


def rows() -> Iterator[Row]:
    with unit_of_work():
        product = add_product(
            by=Actor.job("benchmarks"),
            product=Product(slug="walled-mug", title="Mug", description="A mug.", kind="mug", price=2000),
            on_hand=ORDERS,
        )
    look = visit(make_customer(product, ORDERS), lambda user: reverse("accounts:overview"))
    yield times_as_long("account page behind the wall", "without the wall", 1.2, several(look), without_wall(several(look)))


def several(look: Callable[[], object]) -> Callable[[], None]:
    """Each look followed by what the end of a request does: every connection that served is wiped."""

    def looks() -> None:
        for _ in range(LOOKS):
            look()
            connection.close_if_unusable_or_obsolete()

    return looks


def without_wall(looks: Callable[[], None]) -> Callable[[], None]:
    def unwalled() -> None:
        with patch.object(DatabaseWrapper, "follow", lambda self: None):
            looks()

    return unwalled
