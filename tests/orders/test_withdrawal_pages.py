"""Cancel a purchase on the pages: the entry for everybody, the statement, the acknowledgement, and the staff's case."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from orders.guests.models import OrderLookup
from orders.lifecycle.actions import cancel_order
from orders.lifecycle.models import Order, OrderState
from orders.parcels.models import Parcel
from orders.withdrawals.actions import receive_goods
from orders.withdrawals.models import ContractWithdrawal, WithdrawalState
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Role
from tests.accounts.people import make_staff, staff_client
from tests.guests import guest_client
from tests.orders.factories import (
    client_of,
    confirmed,
    count_queries,
    delivered,
    fresh,
    make_customer,
    make_product,
    place,
    place_as_guest,
    settle,
    stock_of,
)
from tests.orders.test_withdrawals import declare, do, late

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return make_customer(name="Marker Buyer")


@pytest.fixture
def client(customer):
    return client_of(customer)


@pytest.fixture
def sign_in():
    def sign_in_as(role):
        return staff_client(make_staff(role, email=f"{role}@example.org"), email=f"{role}@example.org")

    return sign_in_as


def withdraw_page(order):
    return f"/account/orders/{order.code}/withdraw/"


def token_in(page):
    return re.search(r'name="token" value="([^"]+)"', page.content.decode())[1]


def confirm(client, order, token=None, **lines):
    token = token or token_in(client.get(withdraw_page(order)))
    return client.post(withdraw_page(order), {"token": token, "confirm": "1", **({"line_1": 2} | lines)})


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


# The entry


def test_entry_is_public_and_goes_on_by_mail(client):
    visitor, order = Client(), place_as_guest(email="marker.guest@example.org")
    page = text(visitor.get("/cancel-a-purchase/"))
    assert "/sign-in/?next=/cancel-a-purchase/" in page
    assert 'value="withdrawal"' in page

    visitor.post("/orders/lookup/", {"code": order.code, "email": "marker.guest@example.org", "leads_to": "withdrawal"})

    assert OrderLookup.objects.get().leads_to == "withdrawal"


def test_entry_lists_what_can_still_be_canceled(client, customer):
    open_order, gone, strange = delivered(user=customer), confirmed(user=customer), delivered()
    declare(gone)

    page = text(client.get("/cancel-a-purchase/"))

    assert withdraw_page(open_order) in page
    assert gone.code not in page
    assert strange.code not in page


def test_entry_leaves_out_what_can_be_canceled_no_more(client, customer):
    old, reachable = delivered(user=customer), delivered(user=customer)
    Order.objects.filter(pk=old.pk).update(completed_at=timezone.now() - timedelta(days=400))
    Order.objects.filter(pk=reachable.pk).update(completed_at=timezone.now() - timedelta(days=300))

    page = text(client.get("/cancel-a-purchase/"))

    assert reachable.code in page
    assert old.code not in page


def test_entry_takes_as_many_queries_for_many_orders_as_for_one(client, customer):
    place(customer)
    client.get("/cancel-a-purchase/")
    few = count_queries(lambda: client.get("/cancel-a-purchase/"))
    for _ in range(4):
        place(customer)

    assert count_queries(lambda: client.get("/cancel-a-purchase/")) <= few


def test_entry_stands_in_every_footer(client):
    for page in ("/", "/basket/", "/account/orders/", "/orders/lookup/"):
        assert 'href="/cancel-a-purchase/"' in text(client.get(page))


def test_entry_is_open_to_staff(sign_in):
    assert "Which order?" in text(sign_in(Role.SUPPORT).get("/cancel-a-purchase/"))


# The statement


@pytest.mark.promise("RIGHTS-6")
def test_statement_names_order_person_and_mailbox_and_one_unambiguous_button(client, customer):
    order = delivered(user=customer)

    page = text(client.get(withdraw_page(order)))

    for said in (order.code, order.lines.get().title, "Marker Buyer", "@example.org", "Confirm withdrawal"):
        assert said in page
    assert page.count('name="confirm"') == 1


def test_statement_asks_for_no_reason(client, customer):
    order = delivered(user=customer)

    form = text(client.get(withdraw_page(order))).split('<form method="post" class="stack')[1].split("</form>")[0]

    assert set(re.findall(r'name="([a-z0-9_]+)"', form)) == {"csrfmiddlewaretoken", "token", "line_1", "confirm"}


def test_confirming_shows_the_acknowledgement_to_keep(client, customer):
    order = delivered(user=customer)

    answer = confirm(client, order)

    page = text(client.get(answer["Location"]))
    declared_at = timezone.localtime(ContractWithdrawal.objects.get().declared_at)
    for said in (order.code, "Marker Buyer", order.lines.get().title, declared_at.strftime("%H:%M:%S")):
        assert said in page


def test_confirming_twice_is_one(client, customer):
    order = delivered(user=customer, items=[(make_product(), 4)])
    token = str(uuid4())

    first, second = confirm(client, order, token, line_1=1), confirm(client, order, token, line_1=1)

    assert first["Location"] == second["Location"]
    assert ContractWithdrawal.objects.count() == 1


@pytest.mark.parametrize("lines", [{"line_1": 0}, {"line_1": 3}, {"line_1": ""}, {"line_1": -1}, {"line_9": 1}])
def test_confirming_what_cannot_be_says_why_and_keeps_what_was_typed(client, customer, lines):
    order = delivered(user=customer)

    answer = confirm(client, order, **lines)

    assert answer.status_code == 422
    assert "error-summary" in answer.content.decode()
    assert not ContractWithdrawal.objects.exists()


def test_confirming_an_order_that_has_not_left_cancels_it(client, customer):
    order = confirmed(user=customer)
    assert "has not left us" in text(client.get(withdraw_page(order)))

    page = text(client.get(confirm(client, order)["Location"]))

    assert fresh(order).state == OrderState.CANCELED
    assert "need not send anything back" in page


def test_statement_after_the_time_says_so_and_is_taken_all_the_same(client, customer):
    order = delivered(user=customer)
    Parcel.objects.update(delivered_at=timezone.now() - timedelta(days=20))

    assert "The time to cancel ended" in text(client.get(withdraw_page(order)))
    confirm(client, order)

    assert ContractWithdrawal.objects.get().is_late


def test_statement_with_nothing_left_leads_to_the_acknowledgement(client, customer):
    order = delivered(user=customer)
    declare(order)

    assert client.get(withdraw_page(order))["Location"] == f"/account/orders/{order.code}/withdrawals/"


def test_statement_of_an_ended_order_leads_to_its_page(client, customer):
    order = settle(place(customer), "authorize", "declined")
    with unit_of_work():
        cancel_order(by=customer.actor, order=order)

    assert client.get(withdraw_page(order))["Location"] == order.get_absolute_url()


@pytest.mark.promise("RIGHTS-6")
def test_other_peoples_statements_are_not_found(client):
    order = delivered()
    declare(order)

    for path in ("withdraw/", "withdrawals/"):
        assert client.get(f"/account/orders/{order.code}/{path}").status_code == 404
    assert client.post(withdraw_page(order), {"token": str(uuid4()), "line_1": 1}).status_code == 404


def test_statement_takes_only_its_methods(client, customer):
    order = delivered(user=customer)

    assert client.put(withdraw_page(order)).status_code == 405
    assert client.post(f"/account/orders/{order.code}/withdrawals/").status_code == 405
    assert client.post("/cancel-a-purchase/").status_code == 405


@pytest.mark.promise("RIGHTS-10")
def test_guest_cancels_a_purchase_by_the_mailed_link():
    order = place_as_guest()
    client = guest_client(order.person)
    assert withdraw_page(order) in text(client.get("/cancel-a-purchase/"))

    confirm(client, order)

    assert fresh(order).state == OrderState.CANCELED


def test_order_page_says_what_the_cancellation_waits_for(client, customer):
    order = delivered(user=customer)
    declare(order)

    page = text(client.get(order.get_absolute_url()))

    assert "You send the goods back." in page
    assert f"/account/orders/{order.code}/withdrawals/" in page


def test_acknowledgements_take_as_many_queries_for_many_as_for_one(client, customer):
    order = delivered(user=customer, items=[(make_product(), 5)])
    line = order.lines.get()
    declare(order, quantities={line.pk: 1})
    address = f"/account/orders/{order.code}/withdrawals/"
    client.get(address)
    few = count_queries(lambda: client.get(address))
    for _ in range(3):
        declare(order, quantities={line.pk: 1})

    assert count_queries(lambda: client.get(address)) <= few


# The staff's case


def case(withdrawal):
    return f"/admin/orders/contractwithdrawal/{withdrawal.pk}/change/"


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FULFILLMENT, Role.FINANCE, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR])
def test_case_and_list_show_masks_alone(sign_in, role):
    withdrawal, client = declare(delivered()), sign_in(role)

    for address in ("/admin/orders/contractwithdrawal/", case(withdrawal)):
        page = text(client.get(address))
        assert withdrawal.order.code in page
        assert "Marker" not in page


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SECURITY, Role.FRAUD])
def test_case_is_closed_to_other_roles(sign_in, role):
    assert sign_in(role).get(case(declare(delivered()))).status_code == 403


def test_fulfillment_takes_goods_in_and_finance_gives_money_back(sign_in):
    product = make_product()
    order = delivered(items=[(product, 2)])
    withdrawal = declare(order)

    sign_in(Role.FULFILLMENT).post(case(withdrawal), {"_button": "receive"})
    sign_in(Role.FINANCE).post(case(withdrawal), {"_button": "refund"})
    settle(order, "refund")

    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.REFUNDED
    assert stock_of(product) == (10, 0)


@pytest.mark.parametrize(
    ("role", "sent"),
    [
        (Role.SUPPORT, {"_button": "receive"}),
        (Role.FULFILLMENT, {"_button": "refund"}),
        (Role.FINANCE, {"_button": "receive"}),
        (Role.FULFILLMENT, {"_exempt": "1", "exemption": "hygiene"}),
        (Role.FINANCE, {"_accept_late": "1", "reason": "goodwill"}),
    ],
)
def test_case_refuses_what_another_role_does(sign_in, role, sent):
    withdrawal = late()

    assert sign_in(role).post(case(withdrawal), sent).status_code == 403
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.DECLARED


def test_support_accepts_a_late_one_with_a_reason(sign_in):
    withdrawal = late()

    sign_in(Role.SUPPORT).post(case(withdrawal), {"_accept_late": "1", "reason": "not_informed"})

    withdrawal.refresh_from_db()
    assert withdrawal.late_reason == "not_informed"


@pytest.mark.parametrize("exemption", ["", "because", "too_late"])
def test_support_answers_with_an_exception_that_fits_alone(sign_in, exemption):
    withdrawal = declare(delivered())

    sign_in(Role.SUPPORT).post(case(withdrawal), {"_exempt": "1", "exemption": exemption})

    withdrawal.refresh_from_db()
    assert withdrawal.is_open


def test_support_answers_with_an_exception(sign_in, customer, client):
    order = delivered(user=customer)
    withdrawal = declare(order)

    sign_in(Role.SUPPORT).post(case(withdrawal), {"_exempt": "1", "exemption": "made_to_order"})

    assert "Art. 16(c)" in text(client.get(f"/account/orders/{order.code}/withdrawals/"))


def test_list_takes_as_many_queries_for_many_as_for_one(sign_in):
    client = sign_in(Role.SUPPORT)
    declare(delivered())
    client.get("/admin/orders/contractwithdrawal/")
    few = count_queries(lambda: client.get("/admin/orders/contractwithdrawal/"))
    for _ in range(3):
        declare(delivered())

    assert count_queries(lambda: client.get("/admin/orders/contractwithdrawal/")) <= few


def test_front_page_tells_support_and_finance_what_waits(sign_in):
    late()
    do(receive_goods, declare(delivered()), to_stock=True)

    assert "is_late__exact=1" in text(sign_in(Role.SUPPORT).get("/admin/"))
    assert "state__exact=goods_back" in text(sign_in(Role.FINANCE).get("/admin/"))
