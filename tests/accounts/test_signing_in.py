import logging
from datetime import timedelta
from typing import ClassVar

import pytest
import time_machine
from django.contrib.sessions.backends.base import UpdateError
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Event
from marketplace.accounts.actions import end_sessions
from marketplace.accounts.errors import NotAllowed
from marketplace.accounts.models import AccountSession
from marketplace.accounts.sessions import SessionStore, forget_ended_sessions, session_digest
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor, Role
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    client_of,
    entries,
    make_customer,
    make_staff,
    make_unconfirmed,
)
from tests.hashers import QuickArgon2Hasher

pytestmark = pytest.mark.django_db

WRONG = {"email": EMAIL, "password": "not the right words"}
RIGHT = {"email": EMAIL, "password": PASSWORD}


def test_sign_in_starts_a_session():
    user = make_customer()

    page = Client().post("/sign-in/", RIGHT)

    assert page.headers["Location"] == "/account/"
    assert AccountSession.objects.get(user=user)
    assert entries(Event.SESSION_STARTED, subject_id=user.subject_id) == 1


def test_sign_in_finds_the_mailbox_however_it_is_written():
    make_customer()

    page = Client().post("/sign-in/", {"email": EMAIL.upper(), "password": PASSWORD})

    assert page.status_code == 302


def test_sign_in_waits_for_the_mailbox_to_be_confirmed():
    make_unconfirmed()

    assert Client().post("/sign-in/", RIGHT).status_code == 422


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", "nowhere"])
def test_sign_in_leads_nowhere_else(wanted):
    make_customer()

    page = Client().post("/sign-in/", RIGHT | {"next": wanted})

    assert page.headers["Location"] == "/account/"


def test_sign_in_leads_back_to_the_page_that_asked_for_it():
    make_customer()

    page = Client().post("/sign-in/", RIGHT | {"next": "/account/details/"})

    assert page.headers["Location"] == "/account/details/"


@pytest.mark.promise("PROTECT-3")
def test_sign_in_does_not_reveal_who_has_an_account():
    make_customer()
    answers = []
    for email in (EMAIL, "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            page = Client().post("/sign-in/", WRONG | {"email": email})
        answers.append((page.status_code, page.context["form"].errors, len(queries)))

    assert answers[0] == answers[1]
    assert entries(Event.SESSION_REFUSED) == 2


class CountingHasher(QuickArgon2Hasher):
    """Notes each time it does the slow work."""

    work: ClassVar[list[str]] = []

    def encode(self, *args, **kwargs):
        self.work.append("hash")
        return super().encode(*args, **kwargs)

    def verify(self, *args, **kwargs):
        self.work.append("hash")
        return super().verify(*args, **kwargs)


@pytest.mark.promise("PROTECT-3")
def test_sign_in_does_the_same_hashing_for_known_and_unknown_addresses(settings):
    make_customer()
    settings.PASSWORD_HASHERS = ["tests.accounts.test_signing_in.CountingHasher"]
    done = []
    for email in (EMAIL, "nobody@example.org"):
        CountingHasher.work.clear()
        Client().post("/sign-in/", WRONG | {"email": email})
        done.append(list(CountingHasher.work))

    assert done == [["hash"], ["hash"]]


def test_sign_in_locks_out_after_five_wrong_tries():
    user = make_customer()
    client = Client()

    statuses = [client.post("/sign-in/", WRONG).status_code for _ in range(5)]
    locked = client.post("/sign-in/", RIGHT)

    assert statuses == [422, 422, 422, 422, 429]
    assert locked.status_code == 429
    assert locked.headers["Retry-After"] == "900"
    assert "15 minutes" in locked.content.decode()
    assert entries(Event.ACCOUNT_LOCKED_OUT, subject_id=user.subject_id) == 1


def test_sign_in_locks_out_the_account_whatever_the_network_address():
    make_customer()

    for number in range(5):
        Client(REMOTE_ADDR=f"192.0.2.{number}").post("/sign-in/", WRONG)

    assert Client(REMOTE_ADDR="198.51.100.7").post("/sign-in/", RIGHT).status_code == 429


def test_sign_in_locks_out_unknown_addresses_alike():
    client = Client()

    statuses = [client.post("/sign-in/", WRONG).status_code for _ in range(6)]

    assert statuses == [422, 422, 422, 422, 429, 429]
    assert entries(Event.ACCOUNT_LOCKED_OUT) == 0


def test_sign_in_counts_anew_after_a_right_password():
    make_customer()
    for _ in range(4):
        Client().post("/sign-in/", WRONG)

    Client().post("/sign-in/", RIGHT)

    assert Client().post("/sign-in/", WRONG).status_code == 422


@pytest.mark.promise("PROTECT-1")
def test_lock_out_keeps_neither_address_nor_mailbox(caplog):
    make_customer()
    caplog.set_level(logging.DEBUG)

    for _ in range(6):
        Client(REMOTE_ADDR="192.0.2.77", HTTP_USER_AGENT="MarkerBrowser").post("/sign-in/", WRONG)

    backend = cache._cache.get_client(write=True)
    stored = b"".join(key + (backend.get(key) or b"") for key in backend.scan_iter() if backend.type(key) == b"string")
    assert b"axes-" in stored
    for marker in (EMAIL, "192.0.2.77", "MarkerBrowser"):
        assert marker.encode() not in stored
        assert marker not in caplog.text


def test_sign_out_ends_the_session():
    user = make_customer()
    client = client_of(user)

    client.post("/sign-out/")

    assert not AccountSession.objects.filter(user=user).exists()
    assert client.get("/account/").headers["Location"].startswith("/sign-in/")
    assert entries(Event.SESSION_ENDED, subject_id=user.subject_id) == 1


def test_sign_out_refuses_a_field_that_it_did_not_ask_for_and_offers_the_button_again():
    client = client_of(make_customer())

    page = client.post("/sign-out/", {"everywhere": "1"})

    assert page.status_code == 422
    assert 'action="/sign-out/"' in page.content.decode()
    assert client.get("/account/").status_code == 200


def test_sign_out_is_a_post():
    assert client_of(make_customer()).get("/sign-out/").status_code == 405


@pytest.mark.promise("COLLECT-1")
def test_sessions_hold_nothing_personal():
    user = make_customer()
    client = client_of(user)
    client.get("/account/")
    client.post("/account/details/", {"change": "email", "email": "new.marker@example.org", "password": PASSWORD})

    session = AccountSession.objects.get(user=user)
    stored = str(session.get_decoded()) + session.session_data + str(session.__dict__)

    for marker in (EMAIL, NAME, "new.marker", "127.0.0.1", "Mozilla"):
        assert marker not in stored
    names = {field.name for field in AccountSession._meta.get_fields()}
    assert names == {"session_key", "session_data", "expire_date", "user", "started_at", "seen_at"}


@pytest.mark.promise("PROTECT-1")
def test_session_key_of_the_cookie_is_stored_as_its_digest():
    user = make_customer()
    client = client_of(user)
    key = client.cookies["session"].value

    assert AccountSession.objects.get(user=user).session_key == session_digest(key)
    assert not AccountSession.objects.filter(session_key=key).exists()


def test_session_key_made_up_by_the_browser_is_not_taken_over():
    make_customer()
    client = Client()
    client.cookies["session"] = "a" * 32

    client.post("/sign-in/", RIGHT)

    assert client.cookies["session"].value != "a" * 32


def test_session_that_was_ended_elsewhere_is_not_revived():
    user = make_customer()
    client = client_of(user)
    store = SessionStore(client.cookies["session"].value)
    assert store["_auth_user_id"] == str(user.pk)

    AccountSession.objects.all().delete()

    store["flag"] = 1
    with pytest.raises(UpdateError):
        store.save()


def test_forget_ended_sessions_deletes_those_that_are_over():
    client_of(make_customer())

    with time_machine.travel(timezone.now() + timedelta(days=15)):
        assert forget_ended_sessions() == 1


def test_end_sessions_ends_all_of_one_person():
    user = make_customer()
    other = make_customer(email="other@example.org")
    clients = [client_of(user), client_of(user), client_of(other, "other@example.org")]

    with unit_of_work():
        assert end_sessions(by=user.actor, user=user) == 2

    assert [client.get("/account/").status_code for client in clients] == [302, 302, 200]
    assert entries(Event.SESSION_ENDED, subject_id=user.subject_id) == 1


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.FULFILLMENT, Role.FINANCE])
def test_end_sessions_of_somebody_else_is_refused(role):
    user = make_customer()
    stranger = Actor(role, id=make_staff().subject_id)

    with pytest.raises(NotAllowed):
        end_sessions(by=stranger, user=user)


def test_signed_in_page_costs_two_queries_before_its_own():
    client = client_of(make_customer())

    with CaptureQueriesContext(connection) as queries:
        client.get("/sign-up/")

    tables = [query["sql"] for query in queries if "accounts_" in query["sql"]]
    assert len(tables) == 2
