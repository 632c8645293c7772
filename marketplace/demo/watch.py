"""How the story's staff looked after people's data: why they looked, what they were refused, what they checked."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from audit.actions import verify_log
from marketplace.demo.cast import staff, user_of
from marketplace.demo.chapters import Chapter, Teller
from marketplace.demo.people import GUESTS, LEAVING, Person
from marketplace.demo.purchases import Purchase
from orders.lifecycle.models import Order, OrderContact
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.retention.actions import start_purge

PURGER = Actor.job("purge")
LOOKS, REFUSALS = 70, 20
REASONS = (
    (Role.SUPPORT, Purpose.ORDER, "asked by telephone where order {code} is"),
    (Role.SUPPORT, Purpose.ORDER, "the bill of {code} was to be sent again"),
    (Role.SUPPORT, Purpose.ORDER, "wanted to change the delivery of {code}"),
    (Role.FRAUD, Purpose.FRAUD, "three orders in an hour, {code} among them"),
    (Role.FRAUD, Purpose.FRAUD, "another name on the card of {code}"),
    (Role.FINANCE, Purpose.PAYMENT, "the bank asked about the payment of {code}"),
)
REFUSED = (
    (Role.SUPPORT, Purpose.PAYMENT, "wanted to see the card"),
    (Role.FULFILLMENT, Purpose.SUPPORT, "curious who writes"),
    (Role.ADMINISTRATOR, Purpose.ACCOUNT, "looking something up"),
    (Role.FINANCE, Purpose.DISPATCH, "wanted to see where it went"),
    (Role.SUPPORT, Purpose.ORDER, ""),
    (Role.FRAUD, Purpose.IMPROVEMENT, "comparing customers"),
)


def looks(now: datetime, bought: Sequence[Purchase]) -> Iterator[Chapter]:
    """Staff look at an order while there is something to ask about it, each time with a reason; some the gate refuses."""
    chance = random.Random("looks")  # noqa: S311 - a story, not a secret
    asked = [purchase for purchase in bought if purchase.person not in (*LEAVING, *GUESTS)]
    for number in range(LOOKS + REFUSALS):
        purchase = chance.choice(asked)
        at = min(purchase.placed_at + timedelta(days=chance.uniform(0.1, 15)), now - timedelta(minutes=5))
        why = chance.choice(REASONS) if number < LOOKS else REFUSED[number % len(REFUSED)]
        if at > purchase.placed_at:
            yield Chapter(f"look.{number + 1}", at, _look(purchase.person, *why))


def checks(now: datetime) -> Iterator[Chapter]:
    """A purge every two months, then each week, then each night, and the log verified as often."""
    days = [*range(1080, 60, -60), *range(56, 7, -7), *range(7, 0, -1)]
    for day in days:
        night = (now - timedelta(days=day)).replace(hour=3, minute=15, second=0)
        yield Chapter(f"purge.{day}", night, lambda teller: start_purge(by=PURGER))
        if day <= 60:
            yield Chapter(f"verification.{day}", night + timedelta(minutes=30), lambda teller: verify_log())


def _look(person: Person, role: Role, purpose: Purpose, reason: str) -> Callable[[Teller], object]:
    """At the newest order; a look that the gate refuses is entered as such."""

    def tell(teller: Teller) -> None:
        order = Order.objects.filter(subject=user_of(person).subject).order_by("-placed_at").first()
        contact = OrderContact.objects.filter(subject=order.subject, order=order).first() if order else None
        if order is None or contact is None:
            return  # nothing is left to look at
        with suppress(AccessDenied), unit_of_work():
            words = reason.format(code=order.code)
            with open_access(by=staff(role), purpose=purpose, subject=order.person, reason=words, case=order) as grant:
                grant.open(contact.name)

    return tell
