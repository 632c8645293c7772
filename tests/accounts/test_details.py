import pytest
from django.test import Client

from audit.events import Event
from marketplace.accounts.actions import change_locale
from marketplace.accounts.errors import NotAllowed
from marketplace.accounts.models import PendingMailbox
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor, Role
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    client_of,
    deliver_all,
    entries,
    make_customer,
    make_staff,
    staff_client,
)

pytestmark = pytest.mark.django_db

NEW = "new.marker@example.org"


def test_change_locale_of_somebody_else_is_refused():
    user = make_customer()
    stranger = Actor(Role.CUSTOMER, id=make_customer(email="other@example.org").subject_id)

    with pytest.raises(NotAllowed), unit_of_work():
        change_locale(by=stranger, user=user, locale="de")


def test_change_locale_writes_one_event():
    user = make_customer()

    with unit_of_work():
        change_locale(by=user.actor, user=user, locale="de")

    user.refresh_from_db()
    assert user.locale == "de"
    assert entries(Event.DETAILS_CORRECTED, subject_id=user.subject_id) == 1


@pytest.mark.promise("RIGHTS-6")
def test_details_page_shows_the_persons_own_details():
    page = client_of(make_customer()).get("/account/details/")

    assert NAME in page.content.decode()
    assert EMAIL in page.content.decode()
    assert page.headers["Cache-Control"].count("no-store") == 1


def test_details_page_changes_the_language():
    user = make_customer()

    page = client_of(user).post("/account/details/", {"change": "locale", "locale": "de"})

    user.refresh_from_db()
    assert page.status_code == 302
    assert page.cookies["language"].value == "de"
    assert user.locale == "de"


def test_details_page_asks_for_a_new_mailbox():
    user = make_customer()

    page = client_of(user).post("/account/details/", {"change": "email", "email": NEW, "password": PASSWORD})

    assert page.status_code == 302
    assert PendingMailbox.objects.filter(user=user).count() == 1


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("given", [{}, {"password": "wrong"}])
def test_details_page_asks_for_the_password_before_a_new_mailbox(given):
    client = client_of(make_customer())
    deliver_all()

    page = client.post("/account/details/", {"change": "email", "email": NEW} | given)

    assert page.status_code == 422
    assert not PendingMailbox.objects.exists()
    assert deliver_all() == []


@pytest.mark.promise("PROTECT-3")
def test_details_page_lets_nobody_guess_the_password():
    client = client_of(make_customer())
    for _ in range(5):
        client.post("/account/details/", {"change": "email", "email": NEW, "password": "wrong"})

    page = client.post("/account/details/", {"change": "email", "email": NEW, "password": PASSWORD})

    assert page.status_code == 429
    assert not PendingMailbox.objects.exists()


def test_details_page_asks_for_the_password_for_nothing_else():
    assert client_of(make_customer()).get("/account/details/").content.count(b'type="password"') == 1


@pytest.mark.promise("RIGHTS-2")
def test_details_page_corrects_the_name_at_once():
    user = make_customer()
    client = client_of(user)

    page = client.post("/account/details/", {"change": "name", "name": "Marker Newly"}, follow=True)

    assert page.status_code == 200
    assert "Marker Newly" in page.content.decode()
    assert NAME not in page.content.decode()


@pytest.mark.parametrize("form", [{"change": "name", "name": ""}, {"change": "email", "email": "x"}, {"change": "locale", "locale": "xx"}])
def test_details_page_refuses_what_is_not_valid(form):
    assert client_of(make_customer()).post("/account/details/", form).status_code == 422


@pytest.mark.parametrize("form", [{}, {"change": "role", "role": "administrator"}])
def test_details_page_ignores_what_it_does_not_offer(form):
    assert client_of(make_customer()).post("/account/details/", form).status_code == 302


@pytest.mark.parametrize("address", ["/account/", "/account/details/"])
def test_account_pages_are_for_the_signed_in(address):
    assert Client().get(address).headers["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize("address", ["/account/", "/account/details/"])
def test_account_pages_lead_staff_to_their_own(address):
    assert staff_client(make_staff()).get(address).headers["Location"] == "/admin/"


def test_overview_greets_by_name():
    assert NAME in client_of(make_customer()).get("/account/").content.decode()
