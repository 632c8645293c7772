"""A few orders of the demo's customers, each brought as far as it shows something; all through the actions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from marketplace.accounts.models import User
from marketplace.accounts.queries import account_with_mailbox
from orders.catalogue.models import Product
from orders.checkout.actions import ORDER_PURPOSES, order_of_form, place_order
from orders.lifecycle.actions import close_order, confirm_order
from orders.lifecycle.models import Order, OrderState
from orders.parcels.actions import deliver_parcel, hand_over_parcel, pack_parcel
from orders.parcels.models import Parcel, ParcelState
from orders.payments.models import Method, PaymentState
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor

DEMO = Actor.job("demo")
TOKENS = UUID("0192f3a0-0000-7000-8000-000000000000")
PATIENCE_SECONDS = 60


class OutsideSilent(Exception):
    """The sandbox did not answer in time; the next start goes on from here."""


@dataclass(frozen=True)
class DemoOrder:
    """``until`` is the last step it is brought to."""

    key: str
    email: str
    items: Mapping[str, int]
    country: str
    address: Mapping[str, str]
    until: str
    method: str = Method.CARD


BERLIN = {"addressee": "Ada Winter", "line1": "Kastanienallee 12", "postcode": "10435", "locality": "Berlin"}
GALWAY = {"addressee": "Ben Okafor", "line1": "4 Quay Street", "locality": "Galway", "postcode": "H91 E1F3"}

STORY = (
    DemoOrder("ada-1", "ada@example.com", {"stoneware-mug": 2, "tea-tin": 1}, "DE", BERLIN, "closed"),
    DemoOrder("ada-2", "ada@example.com", {"striped-blanket": 1}, "DE", BERLIN, "received"),
    DemoOrder("ben-1", "ben@example.com", {"wide-bowl": 1}, "IE", GALWAY, "confirmed"),
    DemoOrder("ben-2", "ben@example.com", {"tea-tin": 3}, "IE", GALWAY, "placed", Method.DECLINED),
)


def tell_story(say: Callable[[str], None]) -> None:
    """Place what is missing and bring each order to its step; needs the worker and the sandbox running."""
    orders = [(told, _place(told)) for told in STORY]
    for told, order in orders:
        if told.until != "placed":
            _bring(order, told.until)
        say(f"order {order.code}: {_state(order)}")


def _place(told: DemoOrder) -> Order:
    token = uuid5(TOKENS, told.key)
    with unit_of_work():
        user = _account(told.email)
        placed = order_of_form(user.subject, token)
        if placed is not None:
            return placed
        products = {product.slug: product for product in Product.objects.filter(slug__in=told.items)}
        return place_order(
            by=user.actor,
            subject=user.subject,
            token=token,
            items=[(products[slug], quantity) for slug, quantity in told.items.items()],
            country=told.country,
            address=told.address,
            name=user.details.name,
            email=user.details.email,
            method=told.method,
            permissions=ORDER_PURPOSES,
            locale="en",
        )


def _bring(order: Order, until: str) -> None:
    """As staff would, step by step, from wherever an earlier try was interrupted.

    Raises OutsideSilent when the payment provider or the carrier does not answer in time.
    """
    support, fulfillment = _staff("support"), _staff("fulfillment")
    _wait(lambda: _state(order) != OrderState.PENDING_PAYMENT)
    if until == "received":
        return
    if _state(order) == OrderState.RECEIVED:
        with unit_of_work():
            confirm_order(by=support, order=order)
    if until == "confirmed" or _state(order) != OrderState.CONFIRMED:
        return
    parcel = Parcel.objects.get(order=order)
    if parcel.state == ParcelState.PLANNED:
        with unit_of_work():
            pack_parcel(by=fulfillment, parcel=parcel)
    _wait(lambda: _is_ready_to_leave(order))
    with unit_of_work():
        hand_over_parcel(by=fulfillment, parcel=parcel)
        deliver_parcel(by=fulfillment, parcel=parcel)
        close_order(by=DEMO, order=order)


def _is_ready_to_leave(order: Order) -> bool:
    is_paid = order.payments.filter(state=PaymentState.CAPTURED).exists()
    return is_paid and Parcel.objects.filter(order=order, labeled_at__isnull=False).exists()


def _state(order: Order) -> str:
    return Order.objects.values_list("state", flat=True).get(pk=order.pk)


def _staff(role: str) -> Actor:
    with unit_of_work():
        return _account(f"{role}@example.com").actor


def _account(email: str) -> User:
    user = account_with_mailbox(email)
    if user is None:
        raise LookupError(email)
    return user


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise OutsideSilent
        time.sleep(0.25)
