from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

from audit.events import Event
from marketplace.accounts.sessions import SessionStore
from privacy.access.guests import begin_guest_session, end_guest_session, guest_session, guest_subject_id, has_outlived_guest_session
from privacy.rights.models import Request
from privacy.vault.models import Subject
from tests.accounts.people import EMAIL, PASSWORD, entries, make_customer
from tests.guests import guest_client

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-10")]

OWN_PAGES = ["/account/orders/", "/account/data/", "/account/permissions/", "/account/requests/", "/account/erase/"]


@pytest.fixture
def person():
    return Subject.objects.create()


def request_with(session: SessionBase | None = None) -> HttpRequest:
    request = HttpRequest()
    request.session = session or SessionStore()
    request.user = AnonymousUser()
    return request


def test_begin_guest_session_lets_in_under_a_new_session_key(person):
    request = request_with()
    request.session["basket"] = {"one": 1}
    request.session.save()
    before = request.session.session_key

    begin_guest_session(request, person.pk)
    request.session.save()

    assert guest_subject_id(request) == person.pk
    assert request.session.session_key != before
    assert not request.session.exists(before)
    assert request.session["basket"] == {"one": 1}


def test_end_guest_session_keeps_the_basket_under_a_new_key(person):
    request = request_with()
    request.session["basket"] = {"one": 1}
    begin_guest_session(request, person.pk)
    request.session.save()
    before = request.session.session_key

    end_guest_session(request)
    request.session.save()

    assert guest_session(request) is None
    assert request.session.session_key != before
    assert not request.session.exists(before)
    assert request.session["basket"] == {"one": 1}


def test_guest_session_ends_after_an_hour_whatever_is_done(person):
    client = guest_client(person, ago=timedelta(minutes=59, seconds=50))
    assert client.get("/account/permissions/").status_code == 200

    client = guest_client(person, ago=timedelta(hours=1))
    response = client.get("/account/permissions/")

    assert response.status_code == 403
    assert "Your hour is over" in response.content.decode()


def test_guest_session_of_an_erased_person_opens_nothing(person):
    client = guest_client(person)
    Subject.objects.filter(pk=person.pk).update(erased_at=timezone.now())

    for address in OWN_PAGES:
        assert client.get(address).status_code == 403


@pytest.mark.parametrize("kind", [Subject.Kind.STAFF, Subject.Kind.SELLER])
def test_guest_session_is_for_customers_alone(kind):
    client = guest_client(Subject.objects.create(kind=kind))

    assert client.get("/account/permissions/").status_code == 403


@pytest.mark.parametrize("address", OWN_PAGES)
def test_own_pages_are_open_to_a_guest_and_lead_visitors_to_the_sign_in(client, person, address):
    assert guest_client(person).get(address).status_code == 200

    response = client.get(address)

    assert response.status_code == 302
    assert response.url == f"/sign-in/?next={address}"


def test_own_pages_say_that_the_reader_is_a_guest(person):
    page = guest_client(person).get("/account/permissions/").content.decode()

    assert "You are here without an account" in page
    assert "/account/details/" not in page


def test_pages_of_an_account_stay_closed_to_guests(person):
    for address in ("/account/details/", "/account/security/"):
        assert guest_client(person).get(address)["Location"].startswith("/sign-in/")


def test_guest_deletes_with_a_fresh_link_and_without_a_password(person):
    client = guest_client(person, ago=timedelta(minutes=14))
    assert 'name="password"' not in client.get("/account/erase/").content.decode()

    response = client.post("/account/erase/")

    assert response.status_code == 302
    assert Request.objects.get(subject=person).kind == Request.Kind.ERASURE


def test_guest_needs_a_new_link_for_a_destructive_step_after_a_quarter_of_an_hour(person):
    client = guest_client(person, ago=timedelta(minutes=16))

    response = client.post("/account/erase/")

    assert response.status_code == 403
    assert "new link" in response.content.decode()
    assert not Request.objects.filter(subject=person).exists()


def test_signing_in_ends_a_guest_session(person):
    user = make_customer()
    client = guest_client(person)

    client.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})

    request = request_with(client.session)
    assert guest_session(request) is None
    assert not has_outlived_guest_session(request)
    assert request.session["_auth_user_id"] == str(user.pk)


def test_whoever_is_signed_in_is_no_guest(person):
    """A session that holds both, whichever way, acts as the account."""
    user = make_customer()
    client = guest_client(person)
    session = client.session
    session["_auth_user_id"], session["_auth_user_backend"] = str(user.pk), "marketplace.accounts.backends.MailboxBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.save()

    response = client.get("/account/permissions/")

    assert response.status_code == 200
    assert response.wsgi_request.actor.id == user.subject_id
    assert response.wsgi_request.guest is None


def test_signing_out_ends_a_guest_session_and_is_in_the_log(person):
    client = guest_client(person)

    client.post("/sign-out/")

    assert client.get("/account/permissions/").status_code == 302
    assert entries(Event.SESSION_ENDED, subject_id=person.pk) == 1
