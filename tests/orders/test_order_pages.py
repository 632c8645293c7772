"""A customer's own orders, and nobody else's."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.events import Event
from audit.record import Reference
from orders.lifecycle.actions import cancel_order
from orders.lifecycle.models import Order, OrderState
from orders.parcels.models import Parcel
from orders.payments.models import Payment, PaymentDetail
from privacy.access.gate import unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.purposes import Purpose
from privacy.sharing.actions import disclose
from tests.orders.factories import (
    SETUP,
    client_of,
    confirmed,
    count_queries,
    delivered,
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


# The page that explains itself


def test_order_page_says_who_received_what_and_until_when_it_stays(client, customer):
    order = delivered(user=customer)
    with unit_of_work():
        told = {"payer": PaymentDetail.objects.get(payment__order=order).payer}
        disclose(by=SETUP, recipient="payments", purpose=Purpose.PAYMENT, subject=customer.subject, values=told, case=Reference.to(order))

    page = text(client.get(order.get_absolute_url()))

    for said in ("payments", "payment provider", "30 days after the order is closed", "You paid", "/account/messages/new/?order="):
        assert said in page


def test_order_page_gives_the_days_once_the_order_is_closed(client, customer):
    order = delivered(user=customer)
    closed_at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    Order.objects.filter(pk=order.pk).update(state="closed", closed_at=closed_at)

    page = text(client.get(order.get_absolute_url()))

    assert "until April 1, 2026" in page
    assert "until May 31, 2026" in page


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (received, "A person checks your order."),
        (confirmed, "We pack your parcel and take the payment."),
        (packed, "We give your parcel to the carrier."),
        (handed_over, "The carrier brings it to your door."),
        (delivered, "You can cancel the purchase without a reason."),
    ],
)
def test_order_page_says_what_happens_next_and_by_when(client, customer, make, said):
    page = text(client.get(make(user=customer).get_absolute_url()))

    assert said in page
    assert "Mostly by" in page or "until " in page


def test_order_page_offers_to_cancel_the_purchase_while_there_is_time(client, customer):
    order = delivered(user=customer)
    assert f"/account/orders/{order.code}/withdraw/" in text(client.get(order.get_absolute_url()))

    Parcel.objects.filter(order=order).update(delivered_at=timezone.now() - timedelta(days=30))

    assert f"/account/orders/{order.code}/withdraw/" not in text(client.get(order.get_absolute_url()))


@pytest.mark.parametrize(("shown", "expected"), [("all", 3), ("open", 1), ("delivered", 1), ("ended", 1), ("strange", 3)])
def test_order_list_shows_the_kind_asked_for(client, customer, shown, expected):
    canceled = place(customer)
    with unit_of_work():
        cancel_order(by=customer.actor, order=canceled)
    received(user=customer)
    delivered(user=customer)

    page = text(client.get(f"/account/orders/?show={shown}"))

    assert page.count('<th scope="row"') == expected


def test_pages_take_as_many_queries_for_two_hundred_orders_as_for_five(client, customer):
    order = delivered(user=customer)
    addresses = ["/account/orders/", order.get_absolute_url(), "/cancel-a-purchase/"]
    for address in addresses:
        client.get(address)
    few = [count_queries(lambda address=address: client.get(address)) for address in addresses]
    copies = [Order(subject=customer.subject, checkout_token=uuid4(), **as_in(order)) for _ in range(200)]
    Order.objects.bulk_create(copies)

    assert [count_queries(lambda address=address: client.get(address)) for address in addresses] <= few


def as_in(order):
    """The plain columns of an order that exists."""
    names = ("state", "country", "currency", "goods_total", "shipping_total", "tax_total", "total", "locale", "policy_version")
    return {name: getattr(order, name) for name in names}
