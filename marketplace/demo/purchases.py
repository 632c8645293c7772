"""Orders of the story, each brought to its end by the actions alone, as its people, staff and partners would."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db.models import F

from marketplace.demo.cast import staff, user_of
from marketplace.demo.catalogue import demo_products
from marketplace.demo.chapters import Chapter, Teller
from marketplace.demo.people import ADA, BEN, GUESTS, JONAS, LAYLA, PEOPLE, Person
from orders.catalogue.actions import receive_stock
from orders.catalogue.models import Product, StockMovement
from orders.checkout.actions import ORDER_PURPOSES, place_guest_order, place_order
from orders.lifecycle.actions import cancel_order, close_order, confirm_order, expire_order
from orders.lifecycle.models import Order, OrderAddress
from orders.parcels.actions import hand_over_parcel, pack_parcel, receive_parcel_webhook
from orders.parcels.models import Parcel
from orders.parcels.operations import SHIPPER
from orders.payments.actions import refund_order
from orders.payments.models import Method, PaymentDetail, Refund
from orders.withdrawals.actions import declare_withdrawal, receive_goods, refund_withdrawal
from orders.withdrawals.models import ContractWithdrawal
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.vault.sealed import Sealed

TIMERS = Actor.job("orders")
TOKENS = UUID("0192f3a0-0000-7000-8000-000000000000")
REFILLED_WITH = 30
LEAST_ON_SHELF = 4

Step = Callable[["Purchase", Order], object]


class Ending(StrEnum):
    """How an order ends, time permitting."""

    DELIVERED = "delivered"
    AWAITING = "awaiting"
    UNPAID = "unpaid"
    CHANGED_MIND = "changed_mind"
    CANCELED_BY_STAFF = "canceled_by_staff"
    REFUNDED = "refunded"
    SENT_BACK = "sent_back"
    LOST = "lost"


@dataclass(frozen=True)
class Purchase:
    """``now`` is when the story is told: what would come after has not happened yet."""

    key: str
    person: Person
    placed_at: datetime
    items: Mapping[str, int]
    now: datetime
    ending: Ending = Ending.DELIVERED
    days_on_the_way: int = 3

    def tell(self, teller: Teller) -> None:
        order = self._place()
        teller.later(minutes=1)
        for after, step in self._way():
            if self.placed_at + after > self.now:
                return
            teller.at(self.placed_at + after)
            step(self, Order.objects.get(pk=order.pk))

    def _place(self) -> Order:
        products = {product.slug: product for product in Product.objects.filter(slug__in=self.items).select_related("stock")}
        _refill(products.values())
        form: dict[str, Any] = {
            "token": uuid5(TOKENS, self.key),
            "items": [(products[slug], quantity) for slug, quantity in self.items.items()],
            "country": self.person.country,
            "address": {"addressee": self.person.name, **self.person.address},
            "method": METHODS.get(self.ending, Method.CARD),
            "permissions": ORDER_PURPOSES,
            "locale": self.person.locale,
        }
        if self.person in GUESTS:
            return place_guest_order(name=self.person.name, email=self.person.email, **form)
        user = user_of(self.person)
        return place_order(by=user.actor, subject=user.subject, name=user.details.name, email=user.details.email, **form)

    def _way(self) -> list[tuple[timedelta, Step]]:
        """What happens, and how long after the order was placed."""
        delivered = timedelta(hours=34, days=self.days_on_the_way)
        sent: list[tuple[timedelta, Step]] = [
            (timedelta(hours=6), _confirm),
            (timedelta(hours=26), _pack),  # the same for all, so that invoices are numbered in the order of their days
            (timedelta(hours=30), _hand_over),
            (timedelta(hours=33), _travel),
        ]
        arrived = [*sent, (delivered, _deliver)]
        closed = (delivered + timedelta(days=14, minutes=1), _close)
        ways: dict[Ending, list[tuple[timedelta, Step]]] = {
            Ending.AWAITING: [],
            Ending.UNPAID: [(timedelta(minutes=65), _expire)],
            Ending.CHANGED_MIND: [(timedelta(hours=2), _change_mind), (timedelta(hours=3), _close)],
            Ending.CANCELED_BY_STAFF: [sent[0], (timedelta(hours=20), _cancel), (timedelta(hours=21), _close)],
            Ending.LOST: sent,
            Ending.DELIVERED: [*arrived, closed],
            Ending.REFUNDED: [*arrived, (delivered + timedelta(days=2), _refund), closed],
            Ending.SENT_BACK: [
                *arrived,
                (delivered + timedelta(days=3), _withdraw),
                (delivered + timedelta(days=8), _take_back),
                (delivered + timedelta(days=9), _give_money_back),
                closed,
            ],
        }
        return ways[self.ending]


METHODS = {Ending.AWAITING: Method.SLOW, Ending.UNPAID: Method.DECLINED}


def purchases(now: datetime, share: float = 1.0) -> list[Purchase]:
    """All orders of the story told at ``now``; ``share`` shortens the histories, for a quick telling."""
    return [*_histories(now, share), *_lately(now)]


def chapters_of(bought: Iterable[Purchase]) -> list[Chapter]:
    return [Chapter(f"order.{purchase.key}", purchase.placed_at, purchase.tell) for purchase in bought]


def _histories(now: datetime, share: float) -> Iterator[Purchase]:
    """Everybody's orders since they joined, the same ones each time the story is told."""
    chance = random.Random("histories")  # noqa: S311 - a story, not a secret
    for person in (*PEOPLE, *GUESTS):
        for number in range(max(1, round(person.orders * share))):
            spread = (number + chance.uniform(0.1, 0.9)) / person.orders
            days_ago = person.joined - (person.joined - person.last_order) * spread
            yield Purchase(
                key=f"{person.key}-{number + 1}",
                person=person,
                placed_at=now - timedelta(days=days_ago),
                items=_basket(chance),
                now=now,
                ending=_ending(chance),
                days_on_the_way=chance.randint(1, 6),
            )


def _lately(now: datetime) -> Iterator[Purchase]:
    """One order in each state that passes, so that every list has something in it."""
    told = (
        ("awaiting", BEN, timedelta(minutes=2), Ending.AWAITING),
        ("declined", JONAS, timedelta(minutes=9), Ending.UNPAID),
        ("unpaid", BEN, timedelta(minutes=70), Ending.UNPAID),
        ("received-1", LAYLA, timedelta(minutes=35), Ending.DELIVERED),
        ("received-2", _person("camille"), timedelta(hours=3), Ending.DELIVERED),
        ("changed-mind", JONAS, timedelta(hours=5), Ending.CHANGED_MIND),
        ("confirmed-1", ADA, timedelta(hours=8), Ending.DELIVERED),
        ("confirmed-2", _person("haruto"), timedelta(hours=15), Ending.DELIVERED),
        ("canceled", _person("emre"), timedelta(hours=23), Ending.CANCELED_BY_STAFF),
        ("packed-1", _person("eleni"), timedelta(hours=27), Ending.DELIVERED),
        ("packed-2", LAYLA, timedelta(hours=29), Ending.DELIVERED),
        ("handed-over", _person("giulia"), timedelta(hours=31), Ending.DELIVERED),
        ("in-transit-1", ADA, timedelta(hours=50), Ending.DELIVERED),
        ("in-transit-2", _person("jamal"), timedelta(hours=70), Ending.DELIVERED),
        ("delivered-1", JONAS, timedelta(days=6), Ending.DELIVERED),
        ("delivered-2", ADA, timedelta(days=9), Ending.DELIVERED),
        ("refunded", BEN, timedelta(days=11), Ending.REFUNDED),
        ("refunded-and-open", _person("thiago"), timedelta(days=13), Ending.REFUNDED),
        ("withdrawn", LAYLA, timedelta(days=9), Ending.SENT_BACK),
        ("sent-back", _person("camille"), timedelta(days=13, hours=12), Ending.SENT_BACK),
        ("sent-back-and-paid", _person("giulia"), timedelta(days=15, hours=12), Ending.SENT_BACK),
        ("lost", _person("oliver"), timedelta(days=44), Ending.LOST),
    )
    chance = random.Random("lately")  # noqa: S311
    for key, person, ago, ending in told:
        yield Purchase(key, person, now - ago, _basket(chance), now, ending)


def _person(key: str) -> Person:
    return next(person for person in PEOPLE if person.key == key)


def _basket(chance: random.Random) -> dict[str, int]:
    sold = [product.slug for product in demo_products() if product.on_hand]
    return {slug: chance.choice((1, 1, 1, 2, 3)) for slug in chance.sample(sold, chance.choice((1, 1, 2, 2, 3)))}


def _ending(chance: random.Random) -> Ending:
    rare = [Ending.UNPAID, Ending.CHANGED_MIND, Ending.CANCELED_BY_STAFF, Ending.REFUNDED, Ending.REFUNDED, Ending.SENT_BACK]
    return chance.choice([*[Ending.DELIVERED] * 22, *rare])


def _refill(products: Iterable[Product]) -> None:
    for product in products:
        if product.stock.available < LEAST_ON_SHELF:
            keeper, delivery = staff(Role.FULFILLMENT), StockMovement.Reason.DELIVERY
            receive_stock(by=keeper, product=product, quantity=REFILLED_WITH, reason=delivery)


def _confirm(purchase: Purchase, order: Order) -> None:
    confirm_order(by=staff(Role.SUPPORT), order=order)


def _pack(purchase: Purchase, order: Order) -> None:
    address = OrderAddress.objects.get(subject=order.person, order=order)
    _look(Role.FULFILLMENT, Purpose.DISPATCH, order, [address.addressee, address.line1], f"packing {order.code}")
    pack_parcel(by=staff(Role.FULFILLMENT), parcel=_parcel(order))


def _hand_over(purchase: Purchase, order: Order) -> None:
    hand_over_parcel(by=staff(Role.FULFILLMENT), parcel=_parcel(order))


def _travel(purchase: Purchase, order: Order) -> None:
    _hear_from_carrier("parcel.in_transit", order)


def _deliver(purchase: Purchase, order: Order) -> None:
    _hear_from_carrier("parcel.delivered", order)


def _hear_from_carrier(kind: str, order: Order) -> None:
    receive_parcel_webhook(by=SHIPPER, event_id=str(uuid4()), kind=kind, parcel_id=_parcel(order).pk)


def _close(purchase: Purchase, order: Order) -> None:
    close_order(by=TIMERS, order=order)


def _expire(purchase: Purchase, order: Order) -> None:
    expire_order(by=TIMERS, order=order)


def _change_mind(purchase: Purchase, order: Order) -> None:
    cancel_order(by=_buyer(order), order=order)


def _cancel(purchase: Purchase, order: Order) -> None:
    cancel_order(by=staff(Role.SUPPORT), order=order, reason="by_staff")


def _refund(purchase: Purchase, order: Order) -> None:
    detail = PaymentDetail.objects.get(subject=order.person, payment__order=order, payment__captured__gt=F("payment__refunded"))
    _look(Role.FINANCE, Purpose.RETURNS, order, [detail.payer], f"refund for {order.code}")
    amount = order.lines.order_by("position")[0].total
    refund_order(by=staff(Role.FINANCE), order=order, amount=amount, reason=Refund.Reason.DAMAGED)


def _withdraw(purchase: Purchase, order: Order) -> None:
    declare_withdrawal(by=_buyer(order), order=order, token=uuid5(TOKENS, f"{purchase.key} back"))


def _take_back(purchase: Purchase, order: Order) -> None:
    receive_goods(by=staff(Role.FULFILLMENT), withdrawal=ContractWithdrawal.objects.get(order=order), to_stock=True)


def _give_money_back(purchase: Purchase, order: Order) -> None:
    refund_withdrawal(by=staff(Role.FINANCE), withdrawal=ContractWithdrawal.objects.get(order=order))


def _buyer(order: Order) -> Actor:
    return Actor(Role.CUSTOMER, order.subject_id)


def _parcel(order: Order) -> Parcel:
    return Parcel.objects.get(order=order)


def _look(role: Role, purpose: Purpose, order: Order, values: Iterable[Sealed], reason: str) -> None:
    with open_access(by=staff(role), purpose=purpose, subject=order.person, reason=reason, case=order) as grant:
        for value in values:
            grant.open(value)
