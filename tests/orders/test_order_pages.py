"""A customer's own orders, and nobody else's."""

import pytest

from audit.events import Event
from orders.lifecycle.models import Order, OrderState
from orders.payments.models import Payment
from privacy.access.gate import unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.purposes import Purpose
from tests.orders.factories import (
    client_of,
    confirmed,
    count_queries,
    entries,
    fresh,
    handed_over,
    make_customer,
    make_product,
    packed,
    place,
    received,
    settle,
)

pytestmark = pytest.mark.django_db

PATHS = ["", "cancel/", "invoice/"]


@pytest.fixture
def customer():
    return make_customer(name="Marker Buyer")


@pytest.fixture
def client(customer):
    return client_of(customer)


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_order_list_shows_own_orders(client, customer):
    own, other = place(customer), place()

    page = text(client.get("/account/orders/"))

    assert own.code in page
    assert other.code not in page


def test_order_list_without_orders_says_so(client):
    assert "You have not ordered yet" in text(client.get("/account/orders/"))


def test_order_list_takes_as_many_queries_for_many_as_for_one(client, customer):
    place(customer)
    client.get("/account/orders/")
    few = count_queries(lambda: client.get("/account/orders/"))
    for _ in range(3):
        place(customer, [(make_product(), 1), (make_product(), 1)])

    assert count_queries(lambda: client.get("/account/orders/")) <= few


@pytest.mark.promise("RIGHTS-6")
def test_order_page_opens_own_details(client, customer):
    order = packed(user=customer)

    page = text(client.get(order.get_absolute_url()))

    for value in ("Marker Buyer", "Marker Addressee", "Markerstreet 7", "10115 Markertown", "Germany", "SB0123456789"):
        assert value in page
    assert entries(Event.DATA_OPENED, actor_id=customer.subject_id, purpose="dispatch") == 1


@pytest.mark.promise("RIGHTS-4")
def test_order_page_still_shows_own_details_after_a_withdrawal(client, customer):
    order = packed(user=customer)
    with unit_of_work():
        withdraw_consent(by=customer.actor, subject=customer.subject, purpose=Purpose.DISPATCH, locale="en")

    assert "Markerstreet 7" in text(client.get(order.get_absolute_url()))


def test_order_page_takes_as_many_queries_for_many_lines_as_for_one(client, customer):
    one = handed_over(user=customer)
    many = handed_over(user=customer, items=[(make_product(), 1) for _ in range(6)])
    client.get(one.get_absolute_url())
    few = count_queries(lambda: client.get(one.get_absolute_url()))

    assert count_queries(lambda: client.get(many.get_absolute_url())) <= few


@pytest.mark.parametrize("path", PATHS)
def test_pages_of_somebody_elses_order_are_not_found(client, path):
    order = packed()

    assert client.get(f"/account/orders/{order.code}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["cancel/now/", "pay/"])
def test_somebody_elses_order_cannot_be_changed(client, path):
    order = received()

    assert client.post(f"/account/orders/{order.code}/{path}", {"method": "card"}).status_code == 404
    assert fresh(order).state == OrderState.RECEIVED


@pytest.mark.parametrize("code", ["NONE", "ABCDEFGHJK", "a" * 200, "0"])
def test_an_order_that_does_not_exist_is_not_found(client, code):
    assert client.get(f"/account/orders/{code}/").status_code == 404


def test_cancel_shows_its_plan_and_then_cancels(client, customer):
    order = received(user=customer)

    assert order.code in text(client.get(f"/account/orders/{order.code}/cancel/"))
    assert fresh(order).state == OrderState.RECEIVED
    client.post(f"/account/orders/{order.code}/cancel/now/")

    assert fresh(order).state == OrderState.CANCELED


@pytest.mark.promise("COLLECT-3")
def test_cancel_refuses_a_field_that_it_did_not_ask_for(client, customer):
    order = received(user=customer)

    page = client.post(f"/account/orders/{order.code}/cancel/now/", {"gender": "x"})

    assert page.status_code == 422
    assert b"fields that we did not ask for" in page.content
    assert fresh(order).state == OrderState.RECEIVED


def test_cancel_is_not_offered_once_packed(client, customer):
    order = packed(user=customer)

    assert "Cancel this order" not in text(client.get(order.get_absolute_url()))
    assert client.get(f"/account/orders/{order.code}/cancel/").status_code == 302
    client.post(f"/account/orders/{order.code}/cancel/now/")

    assert fresh(order).state == OrderState.CONFIRMED


@pytest.mark.parametrize("path", ["cancel/now/", "pay/"])
def test_changes_by_get_are_refused(client, customer, path):
    order = received(user=customer)

    assert client.get(f"/account/orders/{order.code}/{path}").status_code == 405


def test_pay_again_is_offered_after_a_decline(client, customer):
    order = settle(place(customer, method="declined"), "authorize", "declined")
    assert "Pay again" in text(client.get(order.get_absolute_url()))

    client.post(f"/account/orders/{order.code}/pay/", {"method": "card"})

    assert Payment.objects.filter(order=order).count() == 2
    assert "Pay again" not in text(client.get(order.get_absolute_url()))


def test_pay_again_refuses_an_unknown_method(client, customer):
    order = settle(place(customer, method="declined"), "authorize", "declined")

    client.post(f"/account/orders/{order.code}/pay/", {"method": "barter"})

    assert Payment.objects.filter(order=order).count() == 1


def test_invoice_page_shows_number_party_and_tax(client, customer):
    order = packed(user=customer)

    page = text(client.get(f"/account/orders/{order.code}/invoice/"))

    for part in (order.invoice.label, "Marker Addressee", "Markerstreet 7", "VAT 19 %"):
        assert part in page


def test_invoice_page_before_there_is_one_is_not_found(client, customer):
    order = confirmed(user=customer)

    assert client.get(f"/account/orders/{order.code}/invoice/").status_code == 404


@pytest.mark.promise("CHANGE-3")
def test_pages_work_without_the_person(client, customer):
    from orders.lifecycle.models import OrderAddress, OrderContact
    from orders.parcels.models import ParcelLabel
    from orders.payments.models import PaymentDetail

    order = packed(user=customer)
    for model in (OrderAddress, OrderContact, ParcelLabel, PaymentDetail):
        model.objects.all().delete()

    assert "We have deleted the details" in text(client.get(order.get_absolute_url()))
    assert order.code in text(client.get("/account/orders/"))
    assert Order.objects.get().total == order.total
