"""Who used my data: the first screen of a customer with 100,000 entries against one with 100, in the same number of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.events import Event
from audit.record import NewEntry, record_many
from benchmarks.first_pages import make_customer, visit
from benchmarks.rounds import Row, times_as_long
from benchmarks.servers import analyze
from marketplace.accounts.models import User
from orders.catalogue.actions import add_product
from orders.catalogue.models import Product
from orders.rates.first import put_first_rates
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor

MANY, FEW = 100_000, 100
AT_ONCE = 10_000
JOB = Actor.job("benchmarks")


def rows() -> Iterator[Row]:
    with unit_of_work():
        put_first_rates()
        product = add_product(by=JOB, product=Product(slug="bowl", title="Bowl", description="A bowl.", kind="mug", price=2000), on_hand=2)
    seen_often, seen_seldom = (make_customer(product, 1) for _ in range(2))
    use(seen_often, MANY)
    use(seen_seldom, FEW)
    analyze()
    often, seldom = visit(seen_often, uses), visit(seen_seldom, uses)
    yield times_as_long(f"who used my data, {MANY:,} entries", f"{FEW} entries", 1.5, often, seldom)
    yield same_queries(f"its queries, {MANY:,} entries", f"{FEW} entries", often, seldom)


def use(user: User, number: int) -> None:
    for _ in range(0, number, AT_ONCE):
        with unit_of_work():
            record_many(
                NewEntry(event=Event.DATA_OPENED, by=JOB, subject=user.subject_id, purpose="order", categories=["purchase"])
                for _ in range(min(number, AT_ONCE))
            )


def uses(user: User) -> str:
    return reverse("privacy:uses")


def same_queries(name: str, peer: str, ours: Callable[[], object], theirs: Callable[[], object]) -> Row:
    mine, other = number_of_queries(ours), number_of_queries(theirs)
    return Row(name, peer, mine, other, "the same number", mine / other, mine <= other)


def number_of_queries(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connections["default"]) as queries:
        work()
    return len(queries)
