"""Buying without an account: the same page, the same permissions, one person for each order."""

import re
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from audit.events import Event
from orders.checkout.actions import ORDER_PURPOSES
from orders.checkout.errors import CheckoutTokenTaken, PermissionsMissing
from orders.guests.models import GuestLink
from orders.lifecycle.actions import announce
from orders.lifecycle.models import Order, OrderContact
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.models import ConsentEntry
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import deliver_mail
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject
from tests.accounts.people import make_staff, staff_client
from tests.guests import guest_client
from tests.orders.factories import ADDRESS, client_of, entries, make_customer, make_product, place, place_as_guest, stock_of
from tests.orders.test_checkout_pages import CONSENTS, choose, filled, names_in
from tests.orders.test_races import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-10")]

CONTACT = {"name": "Marker Guest", "email": "marker.guest@example.org"}
ARABIC = "مريم عبد الرحمن الخطيب"


@pytest.fixture
def product():
    return make_product(price=2000)


@pytest.fixture
def visitor(client, product):
    client.post(f"/basket/{product.slug}/add/", {"quantity": 2})
    return client


def order_as_guest(client, **more):
    return client.post("/checkout/", filled(**CONTACT, **CONSENTS, **more))


def contact_of(order):
    contact = OrderContact.objects.get(order=order)
    with unit_of_work(), open_access(by=Actor(Role.CUSTOMER, order.subject_id), purpose=Purpose.ORDER, subject=order.subject_id) as grant:
        return grant.open(contact.name), grant.open(contact.email)


def test_checkout_offers_both_ways_and_forces_none(visitor):
    page = visitor.get("/checkout/").content.decode()

    assert "Go on without an account" in page
    assert "/sign-in/?next=/checkout/" in page


def test_checkout_asks_a_guest_for_name_and_mailbox_and_not_a_customer(visitor, product):
    customer = client_of(make_customer())
    customer.post(f"/basket/{product.slug}/add/", {"quantity": 1})

    assert {"name", "email"} <= names_in(visitor.get("/checkout/"))
    assert not {"name", "email"} & names_in(customer.get("/checkout/"))


def test_checkout_keeps_what_a_guest_typed_when_the_country_changes(visitor):
    page = choose(visitor, "US", **CONTACT).content.decode()

    assert 'value="Marker Guest"' in page
    assert 'value="marker.guest@example.org"' in page


def test_guest_places_an_order_and_sees_its_confirmation(visitor, product):
    answer = order_as_guest(visitor)

    order = Order.objects.get()
    assert answer["Location"] == f"/orders/{order.code}/placed/"
    page = visitor.get(answer["Location"])
    assert order.code in page.content.decode()
    assert not any(value in page.content.decode() for value in (*CONTACT.values(), *ADDRESS.values()))
    assert order.is_guest
    assert contact_of(order) == tuple(CONTACT.values())
    assert stock_of(product) == (10, 2)


def test_confirmation_of_a_guest_is_shown_to_the_browser_that_ordered_alone(visitor):
    address = order_as_guest(visitor)["Location"]

    assert Client().get(address)["Location"].startswith("/sign-in/")
    assert client_of(make_customer()).get(address).status_code == 404


@pytest.mark.promise("COLLECT-3")
def test_guest_gives_each_permission_in_the_ledger(visitor):
    order_as_guest(visitor)

    given = ConsentEntry.objects.filter(subject=Order.objects.get().subject_id)
    assert set(given.values_list("purpose", flat=True)) == {purpose.value for purpose in ORDER_PURPOSES}
    assert all(entry.decision == "given" and entry.statement.text for entry in given.select_related("statement"))


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("box", sorted(CONSENTS))
def test_guest_orders_nothing_without_a_permission_or_with_other_words(visitor, box):
    for words in ("", "0123456789abcdef"):
        answer = visitor.post("/checkout/", filled(**CONTACT, **(CONSENTS | {box: words})))
        assert answer.status_code == 422

    assert not Order.objects.exists()
    assert not Subject.objects.filter(kind="customer").exists()


@pytest.mark.parametrize(("field", "value"), [("email", ""), ("email", "no address"), ("name", "")])
def test_guest_without_name_or_mailbox_reads_why(visitor, field, value):
    answer = visitor.post("/checkout/", filled(**(CONTACT | {field: value}), **CONSENTS))

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Order.objects.exists()


def test_double_submit_gives_a_guest_the_same_order(visitor):
    token = str(uuid4())

    first, second = order_as_guest(visitor, token=token), order_as_guest(visitor, token=token)

    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_double_submit_from_another_browser_shows_the_confirmation_that_names_nobody(visitor, product):
    """The token is known to nobody but the browser that was given the form."""
    token = str(uuid4())
    order_as_guest(visitor, token=token)
    other = Client()
    other.post(f"/basket/{product.slug}/add/", {"quantity": 2})

    page = other.get(order_as_guest(other, token=token)["Location"]).content.decode()

    assert "Marker" not in page


def test_token_of_an_account_gives_a_guest_nothing():
    user, token = make_customer(), uuid4()
    place(user, token=token)

    with pytest.raises(CheckoutTokenTaken):
        place_as_guest(token=token)

    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_submits_at_once_place_one_order_of_one_person(partners):
    product, token = make_product(), uuid4()
    people = Subject.objects.filter(kind="customer").count()

    results = at_once(*(lambda: place_as_guest([(product, 1)], token=token) for _ in range(4)))

    assert {result.pk for result in results} == {Order.objects.get().pk}
    assert Subject.objects.filter(kind="customer").count() == people + 1
    assert stock_of(product) == (10, 1)


def test_two_orders_with_the_same_address_are_two_people():
    one, two = place_as_guest(email="same@example.org"), place_as_guest(email="same@example.org")

    assert one.subject_id != two.subject_id


def test_a_guest_who_is_let_in_orders_as_a_new_person(product):
    first = place_as_guest()
    client = guest_client(first.person)
    client.post(f"/basket/{product.slug}/add/", {"quantity": 2})

    order_as_guest(client)

    assert Order.objects.exclude(pk=first.pk).get().subject_id != first.subject_id


def test_guest_order_is_not_joined_to_the_account_with_this_address(client):
    user = make_customer()
    order = place_as_guest(email="marker.same@example.org")

    assert order.code not in client_of(user).get("/account/orders/").content.decode()
    assert client_of(user).get(order.get_absolute_url()).status_code == 404


def test_place_guest_order_keeps_a_name_in_any_script():
    order = place_as_guest(name=ARABIC, address={**ADDRESS, "addressee": ARABIC})

    assert contact_of(order)[0] == ARABIC
    page = guest_client(order.person).get(order.get_absolute_url()).content.decode()
    assert f"<bdi>{ARABIC}</bdi>" in page


def test_place_guest_order_refuses_without_permissions():
    with pytest.raises(PermissionsMissing):
        place_as_guest(permissions=ORDER_PURPOSES[1:])

    assert not Order.objects.exists()


def test_place_guest_order_writes_one_event():
    order = place_as_guest()

    assert entries(Event.ORDER_PLACED, subject_id=order.subject_id, actor_id=order.subject_id) == 1


def test_place_guest_order_leaves_nothing_when_the_goods_are_gone():
    with pytest.raises(Exception, match="out of stock"):
        place_as_guest([(make_product(on_hand=1), 2)])

    assert not Order.objects.exists()
    assert not Subject.objects.filter(kind="customer").exists()
    assert not ConsentEntry.objects.exists()


def test_confirmation_mail_carries_a_link_that_opens_the_order(client):
    order = place_as_guest()
    mail.outbox.clear()
    deliver_mail(OutboundMail.objects.get(template="orders_placed", subject=order.subject_id))

    [message] = mail.outbox
    path = re.search(r"https?://[^/]+(/orders/guest/\S+)", message.body)[1]
    assert client.post(path)["Location"] == order.get_absolute_url()
    assert client.get(order.get_absolute_url()).status_code == 200
    assert GuestLink.objects.get().used_at is not None


def test_later_mails_of_a_guest_lead_to_the_look_up_and_open_nothing():
    order = place_as_guest()
    with unit_of_work():
        announce(order, "orders_shipped", by=Actor.job("test"))
    mail.outbox.clear()
    deliver_mail(OutboundMail.objects.get(template="orders_shipped"))

    assert f"/orders/lookup/?code={order.code}" in mail.outbox[0].body
    assert not GuestLink.objects.exists()


def test_staff_do_not_shop_here(product):
    client = staff_client(make_staff(Role.SUPPORT))
    client.post(f"/basket/{product.slug}/add/", {"quantity": 1})

    assert client.get("/checkout/")["Location"] == "/admin/"
