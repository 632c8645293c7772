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
from privacy.access.oversight.actions import decide_review
from privacy.access.oversight.drawing import draw_sample
from privacy.access.oversight.models import Review
from privacy.access.oversight.queries import open_reviews
from privacy.alerts.actions import WATCH
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.retention.actions import start_purge

PURGER = Actor.job("purge")
LOOKS, REFUSALS, LATELY = 70, 20, 6
YOUNG = timedelta(days=14)
WEEKS_OF_REVIEWS = 8
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
    young = [purchase for purchase in asked if now - YOUNG < purchase.placed_at < now - timedelta(hours=1)]
    for number, purchase in enumerate(chance.sample(young, min(LATELY, len(young))), start=1):
        at = max(purchase.placed_at + timedelta(hours=1), now - timedelta(days=chance.uniform(1, 6)))
        at = min(at, now - timedelta(minutes=5))
        yield Chapter(f"look.lately.{number}", at, _look(purchase.person, *REASONS[number % 3]))


def reviews(now: datetime) -> Iterator[Chapter]:
    """Each week a sample is drawn; the privacy officer has judged all but the newest."""
    for week in range(WEEKS_OF_REVIEWS, -1, -1):
        drawn_at = now - timedelta(weeks=week, minutes=4)
        yield Chapter(f"sample.{week}", drawn_at, lambda teller: draw_sample(by=WATCH))
        if week:
            yield Chapter(f"review.{week}", drawn_at + timedelta(days=3), _judge)


def checks(now: datetime) -> Iterator[Chapter]:
    """A purge every two months, then each week, then each night, and the log verified as often."""
    days = [*range(1080, 60, -60), *range(56, 7, -7), *range(7, 0, -1)]
    for day in days:
        night = (now - timedelta(days=day)).replace(hour=3, minute=15, second=0)
        yield Chapter(f"purge.{day}", night, lambda teller: start_purge(by=PURGER))
        if day <= 60:
            yield Chapter(f"verification.{day}", night + timedelta(minutes=30), lambda teller: verify_log())


def _judge(teller: Teller) -> None:
    officer, security = staff(Role.PRIVACY_OFFICER), staff(Role.SECURITY)
    for review in open_reviews():
        judge = security if officer.id in (review.actor_id, review.subject_id) else officer
        decide_review(by=judge, review=review, outcome=Review.Outcome.JUSTIFIED)


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
