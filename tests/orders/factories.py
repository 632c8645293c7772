"""Orders for tests, brought to where they should be by the actions alone."""

from itertools import count
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.events import Event
from audit.models import Entry
from marketplace.accounts.models import AccountDetails, User
from orders.catalogue.actions import add_product
from orders.catalogue.models import Product, StockItem
from orders.checkout.actions import ORDER_PURPOSES, place_guest_order, place_order
from orders.lifecycle.actions import confirm_order
from orders.lifecycle.models import Order
from orders.parcels.actions import deliver_parcel, hand_over_parcel, pack_parcel
from orders.parcels.carrier import Booking
from orders.parcels.models import Parcel, ParcelOperation
from orders.parcels.operations import keep_label
from orders.payments.models import PaymentOperation
from orders.payments.operations import CASHIER
from orders.payments.results import apply_answer
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import give_consent
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject

SECRET = "a webhook secret of the tests"
SETUP = Actor.job("test")
UNWRITABLE = Actor(Role.JOB, name="no token at all")
"""An actor whose name the log refuses: whatever they do cannot be recorded."""

ADDRESS = {"addressee": "Marker Addressee", "line1": "Markerstreet 7", "postcode": "10115", "locality": "Markertown"}
_numbers = count(1)


def make_customer(name="Marker Name", permissions=ORDER_PURPOSES) -> User:
    with unit_of_work():
        subject = Subject.objects.create()
        me = Actor(Role.CUSTOMER, subject.pk)
        for purpose in (Purpose.ACCOUNT, *permissions):
            give_consent(by=me, subject=subject, purpose=purpose, locale="en")
        user = User.objects.create(subject=subject)
        with open_access(by=me, purpose=Purpose.ACCOUNT, subject=subject, writes=Event.DATA_COLLECTED):
            AccountDetails.objects.create(subject=subject, user=user, name=name, email=f"marker{next(_numbers)}@example.org")
    return user


def actor(role) -> Actor:
    return Actor(role, Subject.objects.create(kind=Subject.Kind.STAFF).pk)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user, backend="marketplace.accounts.backends.MailboxBackend")
    return client


def make_product(on_hand=10, **values) -> Product:
    number = next(_numbers)
    values = {"slug": f"thing-{number}", "title": f"Thing {number}", "description": "A thing.", "kind": "mug", **values}
    return add_product(by=SETUP, product=Product(**{"price": 2000, **values}), on_hand=on_hand)


def stock_of(product) -> tuple[int, int]:
    stock = StockItem.objects.get(product=product)
    return stock.on_hand, stock.reserved


def place(user=None, items=None, **changes) -> Order:
    user = user or make_customer()
    values = {
        "by": user.actor,
        "subject": user.subject,
        "token": uuid4(),
        "items": [(make_product(), 2)] if items is None else items,
        "country": "DE",
        "address": ADDRESS,
        "name": user.details.name,
        "email": user.details.email,
        "method": "card",
        "locale": "en",
    }
    with unit_of_work():
        return place_order(**(values | changes))


def place_as_guest(items=None, **changes) -> Order:
    values = {
        "token": uuid4(),
        "items": [(make_product(), 2)] if items is None else items,
        "country": "DE",
        "address": ADDRESS,
        "name": "Marker Guest",
        "email": f"marker{next(_numbers)}@example.org",
        "method": "card",
        "permissions": ORDER_PURPOSES,
        "locale": "en",
    }
    with unit_of_work():
        return place_guest_order(**(values | changes))


def operation(order, kind) -> PaymentOperation:
    return PaymentOperation.objects.filter(payment__order=order, kind=kind).latest("id")


def settle(order, kind, state="succeeded") -> Order:
    apply_answer(by=CASHIER, operation_id=operation(order, kind).pk, state=state)
    return fresh(order)


def received(order=None, **how) -> Order:
    return settle(order or place(**how), "authorize")


def confirmed(**how) -> Order:
    with unit_of_work():
        return confirm_order(by=actor(Role.SUPPORT), order=received(**how))


def parcel_of(order) -> Parcel:
    return Parcel.objects.get(order=order)


def packed(is_paid=True, is_labeled=True, **how) -> Order:
    order = confirmed(**how)
    with unit_of_work():
        pack_parcel(by=actor(Role.FULFILLMENT), parcel=parcel_of(order))
    if is_paid:
        settle(order, "capture")
    if is_labeled:
        book = ParcelOperation.objects.get(parcel__order=order, kind="book")
        keep_label(book, Booking("SB0123456789", "L-0123"))
    return fresh(order)


def handed_over(**how) -> Order:
    order = packed(**how)
    with unit_of_work():
        hand_over_parcel(by=actor(Role.FULFILLMENT), parcel=parcel_of(order))
    return fresh(order)


def delivered(**how) -> Order:
    order = handed_over(**how)
    with unit_of_work():
        deliver_parcel(by=actor(Role.FULFILLMENT), parcel=parcel_of(order))
    return fresh(order)


def fresh(order) -> Order:
    return Order.objects.get(pk=order.pk)


def kinds(order) -> list[str]:
    return list(order.events.order_by("at", "id").values_list("kind", flat=True))


def entries(event, **more) -> int:
    return Entry.objects.filter(event=event, **more).count()


def count_queries(action) -> int:
    """How many queries an action takes; counted at once, since the next request empties the list."""
    with CaptureQueriesContext(connection) as queries:
        action()
        return len(queries)
