"""The pages that somebody sees first, of a customer with 200 orders against one with 5."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

from django.test import Client
from django.urls import reverse

from audit.events import Event
from benchmarks.rounds import Row, times_as_long
from marketplace.accounts.models import AccountDetails, User
from orders.catalogue.actions import add_product
from orders.catalogue.models import Product
from orders.checkout.actions import ORDER_PURPOSES, place_order
from orders.lifecycle.models import Order
from orders.rates.first import put_first_rates
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import give_consent
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject

MANY, FEW = 200, 5
JOB = Actor.job("benchmarks")
ADDRESS = {"addressee": "Ada Winter", "line1": "Kastanienallee 12", "postcode": "10435", "locality": "Berlin"}


def rows() -> Iterator[Row]:
    with unit_of_work():
        put_first_rates()
        product = add_product(
            by=JOB, product=Product(slug="mug", title="Mug", description="A mug.", kind="mug", price=2000), on_hand=MANY + FEW
        )
    regular, new = make_customer(product, MANY), make_customer(product, FEW)
    for name, address in (("front page", front), ("order page", newest_order), ("my data", my_data)):
        yield times_as_long(f"{name}, {MANY} orders", f"{FEW} orders", 1.5, visit(regular, address), visit(new, address))


def make_customer(product: Product, orders: int) -> User:
    with unit_of_work():
        subject = Subject.objects.create()
        me = Actor(Role.CUSTOMER, subject.pk)
        for purpose in (Purpose.ACCOUNT, *ORDER_PURPOSES):
            give_consent(by=me, subject=subject, purpose=purpose, locale="en")
        user = User.objects.create(subject=subject)
        with open_access(by=me, purpose=Purpose.ACCOUNT, subject=subject, writes=Event.DATA_COLLECTED):
            details = AccountDetails.objects.create(subject=subject, user=user, name="Ada Winter", email=f"{subject.pk}@example.org")
    for _ in range(orders):
        with unit_of_work():
            place_order(
                by=me,
                subject=subject,
                token=uuid4(),
                items=[(product, 1)],
                country="DE",
                address=ADDRESS,
                name=details.name,
                email=details.email,
                method="card",
                locale="en",
            )
    return user


def visit(user: User, address: Callable[[User], str]) -> Callable[[], object]:
    """One look at the page, by somebody who is signed in. What is no page is no measurement."""
    client, path = Client(), address(user)
    client.force_login(user, backend="marketplace.accounts.backends.MailboxBackend")

    def look() -> None:
        assert client.get(path).status_code == 200

    return look


def front(user: User) -> str:
    return reverse("orders:front")


def newest_order(user: User) -> str:
    return reverse("orders:detail", args=[Order.objects.filter(subject=user.subject).latest("placed_at").code])


def my_data(user: User) -> str:
    return reverse("privacy:my-data")
