"""The case page: masks, what each role may do, and buttons that call the actions."""

import pytest

from orders.catalogue.models import Product
from orders.lifecycle.models import OrderState
from orders.parcels.models import ParcelOperation, ParcelState
from orders.payments.models import Refund
from privacy.policy.roles import Role
from tests.accounts.people import make_staff, staff_client
from tests.orders.factories import (
    confirmed,
    count_queries,
    fresh,
    handed_over,
    operation,
    packed,
    parcel_of,
    place,
    received,
    settle,
    stock_of,
)

pytestmark = pytest.mark.django_db

MARKERS = ("Marker", "10115", "SB0123456789")


@pytest.fixture
def sign_in():
    def sign_in_as(role):
        return staff_client(make_staff(role, email=f"{role}@example.org"), email=f"{role}@example.org")

    return sign_in_as


def case(order):
    return f"/admin/orders/order/{order.pk}/change/"


def press(client, order, button):
    return client.post(case(order), {"_button": button})


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FULFILLMENT, Role.FINANCE, Role.FRAUD, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR])
def test_list_and_case_show_masks_alone(sign_in, role):
    order, client = packed(), sign_in(role)

    pages = [client.get("/admin/orders/order/"), client.get(case(order))]

    for page in pages:
        assert page.status_code == 200
        assert order.code in page.content.decode()
        assert not any(marker in page.content.decode() for marker in MARKERS)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SECURITY])
def test_other_roles_see_no_orders(sign_in, role):
    order, client = received(), sign_in(role)

    assert client.get("/admin/orders/order/").status_code == 403
    assert client.get(case(order)).status_code == 403


def test_support_confirms(sign_in):
    order = received()

    press(sign_in(Role.SUPPORT), order, "confirm")

    assert fresh(order).state == OrderState.CONFIRMED


def test_support_cancels(sign_in):
    order = confirmed()

    press(sign_in(Role.SUPPORT), order, "cancel")

    assert fresh(order).state == OrderState.CANCELED


def test_fulfillment_packs_hands_over_and_delivers(sign_in):
    client = sign_in(Role.FULFILLMENT)
    to_pack, to_hand_over, to_deliver = confirmed(), packed(), handed_over()

    press(client, to_pack, "pack")
    press(client, to_hand_over, "hand_over")
    press(client, to_deliver, "deliver")

    states = [parcel_of(order).state for order in (to_pack, to_hand_over, to_deliver)]
    assert states == [ParcelState.PACKED, ParcelState.HANDED_OVER, ParcelState.DELIVERED]


def test_hand_over_without_money_says_why(sign_in):
    order = packed(is_paid=False)
    client = sign_in(Role.FULFILLMENT)

    page = client.post(case(order), {"_button": "hand_over"}, follow=True)

    assert "the payment has not been taken yet" in page.content.decode()


def refund_form(order, **changes):
    return {"_refund": "1", "amount": "5.00", "reason": "damaged", "left": str(order.total), **changes}


def test_finance_refunds_a_part(sign_in):
    order, client = handed_over(), sign_in(Role.FINANCE)
    assert f'name="left" value="{order.total}"' in client.get(case(order)).content.decode()

    client.post(case(order), refund_form(order))

    assert Refund.objects.get().amount == 500


def test_refund_form_sent_twice_gives_back_once(sign_in):
    order, client = handed_over(), sign_in(Role.FINANCE)

    pages = [client.post(case(order), refund_form(order), follow=True) for _ in range(2)]

    assert Refund.objects.get().amount == 500
    assert "money has moved since this page was shown" in pages[1].content.decode()


@pytest.mark.parametrize(
    "form", [{"amount": "0"}, {"amount": "9999.99"}, {"amount": "0.005"}, {"reason": "because"}, {"note": "x"}, {"left": ""}]
)
def test_finance_refunds_nothing_else(sign_in, form):
    order = handed_over()

    sign_in(Role.FINANCE).post(case(order), refund_form(order, **form))

    assert not Refund.objects.exists()


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize(
    ("role", "button"),
    [
        (Role.FULFILLMENT, "confirm"),
        (Role.FINANCE, "confirm"),
        (Role.SUPPORT, "pack"),
        (Role.ADMINISTRATOR, "confirm"),
        (Role.PRIVACY_OFFICER, "cancel"),
        (Role.SUPPORT, "nonsense"),
    ],
)
def test_button_of_another_role_is_refused(sign_in, role, button):
    order = received()

    assert press(sign_in(role), order, button).status_code == 403
    assert fresh(order).state == OrderState.RECEIVED


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FULFILLMENT, Role.ADMINISTRATOR])
def test_refund_by_another_role_is_refused(sign_in, role):
    order = handed_over()

    sign_in(role).post(case(order), refund_form(order))

    assert not Refund.objects.exists()


@pytest.mark.promise("USE-3")
def test_fulfillment_opens_the_address_with_a_reason(sign_in):
    order, client = confirmed(), sign_in(Role.FULFILLMENT)

    page = client.post(case(order), {"_open": "1", "purpose": "dispatch", "reason": "label unreadable"}).content.decode()

    assert "Markerstreet 7" in page
    assert "Markerstreet 7" not in client.get(case(order)).content.decode()


@pytest.mark.promise("PROTECT-3")
def test_administrator_cannot_open(sign_in):
    order, client = confirmed(), sign_in(Role.ADMINISTRATOR)

    page = client.post(case(order), {"_open": "1", "purpose": "dispatch", "reason": "curious"}).content.decode()

    assert "Markerstreet" not in page


def test_list_takes_as_many_queries_for_many_as_for_one(sign_in):
    client = sign_in(Role.SUPPORT)
    place()
    client.get("/admin/orders/order/")
    few = count_queries(lambda: client.get("/admin/orders/order/"))
    for _ in range(4):
        place()

    assert count_queries(lambda: client.get("/admin/orders/order/")) <= few


def test_list_filters_by_state(sign_in):
    waiting, ready = place(), received()

    page = sign_in(Role.SUPPORT).get("/admin/orders/order/", {"state__exact": "received"}).content.decode()

    assert ready.code in page
    assert waiting.code not in page


def test_administrator_adds_and_changes_a_product(sign_in):
    client = sign_in(Role.ADMINISTRATOR)
    values = {
        "title": "New thing",
        "slug": "new-thing",
        "description": "New.",
        "kind": "mug",
        "price": "12.00",
        "tax_class": "standard",
        "on_hand": "7",
    }

    client.post("/admin/orders/product/add/", values)
    product = Product.objects.get(slug="new-thing")
    del values["on_hand"]
    client.post(f"/admin/orders/product/{product.pk}/change/", {**values, "price": "13.00", "seen": "1"})

    product.refresh_from_db()
    assert (product.price, stock_of(product)) == (1300, (7, 0))


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FULFILLMENT, Role.FINANCE])
def test_other_roles_add_no_product(sign_in, role):
    assert sign_in(role).get("/admin/orders/product/add/").status_code == 403


@pytest.mark.parametrize(
    ("role", "make", "title"),
    [(Role.SUPPORT, received, "Orders to check"), (Role.FULFILLMENT, confirmed, "Parcels to send")],
)
def test_front_page_says_what_waits(sign_in, role, make, title):
    make()

    assert title in sign_in(role).get("/admin/").content.decode()


def test_finance_takes_a_declined_payment_again(sign_in):
    order = settle(packed(is_paid=False), "capture", "declined")
    client = sign_in(Role.FINANCE)
    assert "Payments that went wrong" in client.get("/admin/").content.decode()

    press(client, order, "capture")

    assert operation(order, "capture").outcome == "requested"


def test_fulfillment_asks_for_the_label_again(sign_in):
    order = packed(is_labeled=False)
    ParcelOperation.objects.update(outcome="refused")

    press(sign_in(Role.FULFILLMENT), order, "request_label")

    assert ParcelOperation.objects.filter(outcome="requested").count() == 1
