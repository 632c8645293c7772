"""The pages on which people freeze, object and look ahead, and the overview."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.accounts.models import User
from orders.lifecycle.models import Order
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import give_consent, withdraw_consent
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from privacy.retention.queries import SOON, goings_of
from privacy.rights.models import Request, Restriction
from privacy.rights.restrictions import freeze_data, object_to_use
from tests.orders.factories import actor, client_of, count_queries, make_customer, packed, place
from tests.privacy.rights.people import close_orders

PASSWORD = "seven green apples on a wall"


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def freeze(user, *categories):
    with unit_of_work():
        return freeze_data(by=user.actor, subject=user.subject, categories=categories or tuple(Category))


@pytest.mark.promise("RIGHTS-4")
def test_the_page_says_what_stops_and_what_is_open_before_it_is_asked(client):
    page = text_of(client.get("/account/freeze/"))

    assert "An order of yours is still open." in page
    assert "what is not packed yet cannot be shipped" in page
    assert "We can no longer read your address." in page
    assert not Restriction.objects.exists()


def test_freezing_and_lifting_on_the_pages(client, buyer):
    made = client.post("/account/freeze/", {"categories": ["delivery", "purchase"]})["Location"]
    assert "Delivery details" in text_of(client.get(made))
    assert "You have frozen some of your data." in text_of(client.get("/account/data/"))
    assert client.get("/account/freeze/")["Location"] == made

    client.post(f"{made}lift/")

    assert "You lifted this on" in text_of(client.get(made))
    assert not Restriction.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("sent", [{}, {"categories": ["shoes"]}, {"categories": ["delivery"], "extra": "1"}])
def test_a_freeze_that_is_not_understood_freezes_nothing(client, sent):
    page = client.post("/account/freeze/", sent)

    assert page.status_code == 422
    assert "There is a problem" in text_of(page)
    assert ("checked" in text_of(page)) == ("extra" in sent)
    assert not Restriction.objects.exists()


def test_objecting_on_the_page(client, buyer):
    made = client.post("/account/object/", {"purpose": "fraud", "reason": "Marker reason"})["Location"]

    page = text_of(client.get(made))
    assert "Prevent fraud" in page
    assert "Marker reason" in page
    assert "We answer by" in page
    assert 'value="fraud"' not in text_of(client.get("/account/object/"))
    client.post(f"{made}lift/")
    assert "You took this back before we decided." in text_of(client.get(made))


@pytest.mark.parametrize("sent", [{}, {"purpose": "legal"}, {"purpose": "support"}, {"purpose": "fraud", "extra": "1"}])
def test_an_objection_that_is_not_understood_stops_nothing(client, sent):
    assert client.post("/account/object/", sent | {"reason": "typed words"}).status_code == 422
    assert "typed words" in text_of(client.post("/account/object/", sent | {"reason": "typed words"}))
    assert not Request.objects.exists()


@pytest.mark.promise("PROTECT-3")
def test_another_persons_freeze_is_not_lifted(client, buyer):
    request = freeze(buyer)

    assert client_of(make_customer()).post(f"/account/requests/{request.pk}/lift/").status_code == 404
    assert client.post(f"/account/requests/{request.pk}/lift/", {"extra": "1"}).status_code == 302
    assert Restriction.objects.get().ended_at is None


def test_what_is_frozen_is_refused_in_words(buyer):
    buyer.set_password(PASSWORD)
    buyer.save()
    freeze(buyer)

    page = client_of(buyer).post("/account/details/", {"change": "email", "email": "new@example.org", "password": PASSWORD})

    assert page.status_code == 403
    assert "You have frozen this" in text_of(page)


# Permissions


@pytest.mark.promise("COLLECT-3")
def test_the_history_of_a_permission_has_the_exact_words(client, buyer):
    with unit_of_work():
        withdraw_consent(by=buyer.actor, subject=buyer.subject, purpose=Purpose.FRAUD, locale="en")
        give_consent(by=buyer.actor, subject=buyer.subject, purpose=Purpose.FRAUD, locale="de")

    page = text_of(client.get("/account/permissions/fraud/"))

    assert page.count("<q>") == 3
    assert "To make sure that nobody orders in your name" in page


@pytest.mark.parametrize("purpose", ["legal", "support", "nonsense"])
def test_purposes_without_consent_have_no_history(client, purpose):
    assert client.get(f"/account/permissions/{purpose}/").status_code == 404


# What goes when


@pytest.mark.promise("RIGHTS-1")
def test_lines_say_the_day_and_why_and_which_law(client, buyer):
    close_orders(buyer, timedelta(days=1))

    goings = {going.what: going for going in goings_of(buyer.subject_id)}

    today = timezone.now().date()
    assert goings["1 × delivery address"].on == today + timedelta(days=29)
    assert goings["1 × delivery address"].why == "30 days after the order is closed"
    assert "AO § 147" in goings["1 × billed party"].law
    assert goings["1 × billed party"].on.strftime("%m-%d") == "01-01"
    assert goings["1 × account details"].on is None
    page = text_of(client.get("/account/data/"))
    assert "AO § 147" in page
    assert "1 × delivery address" in page


def test_a_hold_is_told_where_it_is_near(client, buyer):
    close_orders(buyer, timedelta(days=1))
    freeze(buyer)

    held = {going.what for going in goings_of(buyer.subject_id) if going.is_held}

    assert held == {"1 × delivery address", "1 × parcel label"}
    assert timedelta(days=31) == SOON


def test_only_what_fits_is_shown_and_the_rest_is_a_click_away(client, buyer):
    for days in range(1, 15):
        place(user=buyer)
        Order.objects.filter(subject=buyer.subject, closed_at=None).update(state="closed", closed_at=timezone.now() - timedelta(days=days))

    assert text_of(client.get("/account/data/")).count('class="timeline-title"') == 12
    assert "/account/data/when/" in text_of(client.get("/account/data/"))
    assert text_of(client.get("/account/data/when/")).count('class="timeline-title"') > 20


@pytest.mark.parametrize("address", ["", "data/", "data/when/", "correct/", "freeze/", "object/", "permissions/order/", "requests/"])
def test_pages_take_the_same_queries_for_five_orders_and_many(client, buyer, address):
    for _ in range(4):
        place(user=buyer)
    close_orders(buyer, timedelta(days=2))
    client.get(f"/account/{address}")
    few = count_queries(lambda: client.get(f"/account/{address}"))
    for _ in range(25):
        place(user=buyer)
    close_orders(buyer, timedelta(days=3))

    assert count_queries(lambda: client.get(f"/account/{address}")) <= few


# The overview


def test_the_overview_shows_what_is_open_who_looked_and_what_goes(client, buyer):
    order = Order.objects.get(subject=buyer.subject)
    with (
        unit_of_work(),
        open_access(by=actor(Role.SUPPORT), purpose=Purpose.ORDER, subject=buyer.subject, reason="asked", case=order) as grant,
    ):
        grant.open(order.contacts.get().name)
    with unit_of_work():
        request = object_to_use(by=buyer.actor, subject=buyer.subject, purpose=Purpose.FRAUD)

    page = text_of(client.get("/account/"))

    assert "Marker Name" in page
    assert order.code in page
    assert request.get_absolute_url() in page
    assert "we answer by" in page
    assert "Our staff: Support" in page
    assert "1 × look by our staff" in page


def test_an_empty_overview_says_so(db, partners):
    page = text_of(client_of(make_customer()).get("/account/"))

    assert "None. Everything you ordered has arrived or ended." in page
    assert "None of our staff has looked at your data." in page


def test_nothing_of_anybody_else_is_on_the_overview(client, buyer):
    stranger = make_customer(name="Stranger Name")
    order = packed(user=stranger)

    page = text_of(client.get("/account/"))

    assert order.code not in page
    assert "Stranger" not in page


def test_staff_have_no_overview(db, partners):
    from privacy.vault.models import Subject

    staff = User.objects.create(subject=Subject.objects.create(kind=Subject.Kind.STAFF), role=Role.SUPPORT)

    assert client_of(staff).get("/account/").status_code == 302
