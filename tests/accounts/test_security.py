from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.record import record
from marketplace.accounts.actions import (
    change_password,
    end_listed_session,
    end_other_sessions,
    end_sessions,
    request_mailbox_change,
)
from marketplace.accounts.errors import NotAllowed, SessionUnknown
from marketplace.accounts.models import AccountSession, AccountToken, PendingMailbox
from marketplace.accounts.queries import open_sessions, security_events
from marketplace.accounts.security_events import SHOWN, in_words
from marketplace.accounts.sessions import session_digest
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import unit_of_work
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    TEST,
    client_of,
    deliver_all,
    entries,
    make_customer,
    make_protected,
    make_staff,
    protected_client,
    staff_client,
)

pytestmark = pytest.mark.django_db

PAGE = "/account/security/"
OTHERS = "/account/security/sessions/end-others/"
PASSWORD_PAGE = "/account/security/password/"
NEW = "eleven blue chairs by the sea"


def digest_of(client):
    return session_digest(client.cookies["session"].value)


def session_of(client):
    return AccountSession.objects.get(session_key=digest_of(client))


def end_address(client):
    return f"/account/security/sessions/{session_of(client).reference}/end/"


def unwritable(user):
    return Actor(Role(user.role), id=user.subject_id, name="no token at all")


# The page


@pytest.mark.promise("RIGHTS-6")
def test_page_lists_ones_own_sessions_and_marks_this_one():
    user = make_customer()
    clients = [client_of(user) for _ in range(3)]
    client_of(make_customer("other@example.org"), "other@example.org")

    page = clients[0].get(PAGE).content.decode()

    assert page.count("/end/") == 3
    assert page.count("This browser") == 1
    assert all(str(session_of(client).reference) in page for client in clients)


@pytest.mark.promise("COLLECT-1")
def test_page_says_that_no_address_and_no_browser_is_kept():
    page = client_of(make_customer()).get(PAGE).content.decode()

    assert "we keep neither your network address nor the name of your browser" in page


def test_page_shows_no_key_of_a_session():
    user = make_customer()
    client = client_of(user)

    page = client.get(PAGE).content.decode()

    assert client.cookies["session"].value not in page
    assert digest_of(client) not in page


def test_page_holds_a_bounded_number_of_sessions_in_a_constant_number_of_queries():
    user = make_customer()
    client = client_of(user)
    counts = []
    for number in (2, 12):
        for _ in range(number):
            client_of(user)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(PAGE).content.decode()
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert page.count("/end/") == 10
    assert "page=2" in page


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_page_serves_every_staff_role_without_the_customers_menu(role):
    page = staff_client(make_staff(role)).get(PAGE)

    assert page.status_code == 200
    assert "account-menu" not in page.content.decode()
    assert "/admin/" in page.content.decode()


def test_page_is_for_those_with_an_account():
    assert Client().get(PAGE).headers["Location"].startswith("/sign-in/")
    assert client_of(make_customer()).post(PAGE).status_code == 405


def test_page_names_nobody():
    page = client_of(make_customer()).get(PAGE).content.decode()

    assert EMAIL not in page
    assert NAME not in page


def test_staff_site_leads_to_the_page():
    assert staff_client(make_staff()).get("/admin/password_change/").headers["Location"] == PAGE


# Security events


def test_security_events_are_ones_own_newest_first_and_in_words():
    user, other = make_customer(), make_customer("other@example.org")
    client_of(user)
    client_of(other, "other@example.org")
    Client().post("/sign-in/", {"email": EMAIL, "password": "wrong wrong wrong"})

    events = [str(in_words(entry).what) for entry in security_events(user.subject_id)]

    assert events == ["A sign-in with a wrong password was refused", "Signed in", "The email address was confirmed"]


def test_security_events_say_when_it_was_staff():
    user = make_customer()
    client_of(user)
    with unit_of_work():
        end_sessions(by=make_staff(Role.SUPPORT).actor, user=user)

    event = in_words(security_events(user.subject_id)[0])

    assert str(event.what) == "Signed out"
    assert event.by_staff == "Support"


def test_page_shows_ten_events_in_a_constant_number_of_queries():
    user = make_customer()
    client = client_of(user)
    counts = []
    for number in (1, 20):
        with unit_of_work():
            for _ in range(number):
                record(Event.SECOND_FACTOR_REFUSED, by=TEST, subject=user.subject_id)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(PAGE).content.decode()
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert page.count("A wrong code was refused") == 10


def test_every_shown_event_has_words():
    assert all(str(words) for words in SHOWN.values())
    assert set(SHOWN) <= set(Event)


# Sessions


def test_session_notes_the_hour_in_which_it_is_used_and_no_more():
    user = make_customer()
    client = client_of(user)
    started = session_of(client).started_at

    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        with CaptureQueriesContext(connection) as first:
            client.get("/account/")
        with CaptureQueriesContext(connection) as second:
            client.get("/account/")
        seen = session_of(client).seen_at
        this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)

    assert seen == this_hour
    assert session_of(client).started_at == started
    assert len(first) - len(second) == 1


def test_session_keeps_its_beginning_when_it_is_written_again():
    user = make_customer()
    client = client_of(user)
    started = session_of(client).started_at

    client.post("/account/details/", {"change": "locale", "locale": "en"})  # a message goes into the session

    assert session_of(client).started_at == started


def test_session_that_was_ended_is_not_revived_by_noting_its_use():
    user = make_customer()
    client = client_of(user)
    AccountSession.objects.all().delete()

    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        assert client.get("/account/").status_code == 302

    assert not open_sessions(user).exists()


def end_one(user, reference, by=None):
    with unit_of_work():
        end_listed_session(by=by or user.actor, user=user, reference=reference)


def test_end_listed_session_ends_that_one_with_one_event():
    user = make_customer()
    here, there = client_of(user), client_of(user)

    end_one(user, session_of(there).reference)

    assert [client.get("/account/").status_code for client in (here, there)] == [200, 302]
    assert entries(Event.SESSION_ENDED, subject_id=user.subject_id) == 1


def test_end_listed_session_refuses_sessions_and_accounts_of_others():
    user, other = make_customer(), make_customer("other@example.org")
    client = client_of(other, "other@example.org")

    with pytest.raises(SessionUnknown):
        end_one(user, session_of(client).reference)
    with pytest.raises(SessionUnknown):
        end_one(user, uuid4())
    with pytest.raises(NotAllowed):
        end_one(other, session_of(client).reference, by=user.actor)

    assert client.get("/account/").status_code == 200


def test_end_listed_session_changes_nothing_if_the_event_cannot_be_written():
    user = make_customer()
    client = client_of(user)

    with pytest.raises(NotRecordable):
        end_one(user, session_of(client).reference, by=unwritable(user))

    assert client.get("/account/").status_code == 200


def test_end_one_page_ends_another_browser_and_this_one():
    user = make_customer()
    here, there = client_of(user), client_of(user)

    other = here.post(end_address(there))
    assert there.get("/account/").status_code == 302
    own = here.post(end_address(here))

    assert other.headers["Location"] == PAGE
    assert own.headers["Location"] == "/"
    assert here.get("/account/").status_code == 302
    assert entries(Event.SESSION_ENDED, subject_id=user.subject_id) == 2


@pytest.mark.promise("RIGHTS-6")
def test_end_one_page_finds_no_session_of_somebody_else():
    mine = client_of(make_customer())
    theirs = client_of(make_customer("other@example.org"), "other@example.org")

    assert mine.post(end_address(theirs)).status_code == 404
    assert mine.post(f"/account/security/sessions/{uuid4()}/end/").status_code == 404
    assert mine.post("/account/security/sessions/x/end/").status_code == 404
    assert mine.get(end_address(theirs)).status_code == 405
    assert Client().post(end_address(theirs)).headers["Location"].startswith("/sign-in/")
    assert theirs.get("/account/").status_code == 200


def test_end_one_page_is_strict():
    user = make_customer()
    here, there = client_of(user), client_of(user)

    here.post(end_address(there), {"x": "1"})

    assert there.get("/account/").status_code == 200


@pytest.mark.parametrize("address", [end_address, lambda client: OTHERS, lambda client: PASSWORD_PAGE])
def test_pages_refuse_a_form_from_another_site(address):
    user = make_customer()
    client = client_of(user)
    hostile = Client(enforce_csrf_checks=True)
    hostile.cookies = client.cookies

    assert hostile.post(address(client)).status_code == 403
    assert client.get("/account/").status_code == 200


def test_end_other_sessions_keeps_one_with_one_event():
    user = make_customer()
    here, *others = [client_of(user) for _ in range(3)]

    with unit_of_work():
        ended = end_other_sessions(by=user.actor, user=user, keep=digest_of(here))

    assert ended == 2
    assert here.get("/account/").status_code == 200
    assert {client.get("/account/").status_code for client in others} == {302}
    assert entries(Event.SESSION_ENDED, subject_id=user.subject_id) == 1


def test_end_other_sessions_is_for_oneself_and_changes_nothing_if_the_event_cannot_be_written():
    user = make_customer()
    client_of(user)

    with pytest.raises(NotAllowed), unit_of_work():
        end_other_sessions(by=make_staff(Role.ADMINISTRATOR).actor, user=user, keep="")
    with pytest.raises(NotRecordable), unit_of_work():
        end_other_sessions(by=unwritable(user), user=user, keep="")

    assert open_sessions(user).exists()


def test_end_others_page_says_how_many_and_asks_once():
    user = make_customer()
    here, there = client_of(user), client_of(user)

    asked = here.get(OTHERS)
    assert "1 other browser is signed out" in asked.content.decode()
    assert there.get("/account/").status_code == 200
    assert here.post(OTHERS, {"x": "1"}).status_code == 422
    done = here.post(OTHERS, {"submit": "1"})

    assert done.headers["Location"] == PAGE
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert "nowhere else" in here.get(OTHERS).content.decode()


# The password


def change(user, by=None, keep=""):
    with unit_of_work():
        change_password(by=by or user.actor, user=user, password=NEW, keep=keep)


def test_change_password_ends_sessions_and_links_and_tells_the_mailbox():
    user = make_customer()
    client = client_of(user)
    issue_token(user, AccountToken.Kind.RESET)
    with unit_of_work():
        request_mailbox_change(by=user.actor, user=user, email="somebody.else@example.org")
    deliver_all()

    change(user)

    user.refresh_from_db()
    assert user.check_password(NEW)
    assert client.get("/account/").status_code == 302
    assert not AccountSession.objects.filter(user=user).exists()
    assert not AccountToken.objects.filter(user=user, kind=AccountToken.Kind.RESET).exists()
    assert not PendingMailbox.objects.exists()
    assert entries(Event.PASSWORD_CHANGED, subject_id=user.subject_id) == 1
    assert [message.subject for message in deliver_all()] == ["Your password was changed"]


def test_change_password_of_somebody_else_is_refused():
    user = make_customer()

    with pytest.raises(NotAllowed):
        change(user, by=make_staff(Role.ADMINISTRATOR).actor)


def test_change_password_changes_nothing_if_the_event_cannot_be_written():
    user = make_customer()

    with pytest.raises(NotRecordable):
        change(user, by=unwritable(user))

    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("make", [make_customer, make_protected])
def test_password_page_keeps_this_browser_signed_in_under_a_new_key(make):
    user = make()
    sign_in = protected_client if make is make_protected else client_of
    here = sign_in(user)
    there = client_of(user)
    before = here.cookies["session"].value

    page = here.post(PASSWORD_PAGE, {"password": PASSWORD, "new_password": NEW})

    assert page.headers["Location"] == PAGE
    assert here.get("/account/").status_code == 200
    assert here.cookies["session"].value != before
    assert there.get("/account/").status_code == 302
    assert AccountSession.objects.filter(user=user).count() == 1


@pytest.mark.parametrize(
    "form",
    [
        {"new_password": NEW},
        {"password": "wrong", "new_password": NEW},
        {"password": PASSWORD},
        {"password": PASSWORD, "new_password": "short"},
        {"password": PASSWORD, "new_password": "password1234"},
        {"password": PASSWORD, "new_password": NEW, "x": "1"},
    ],
)
def test_password_page_refuses(form):
    user = make_customer()

    page = client_of(user).post(PASSWORD_PAGE, form)

    user.refresh_from_db()
    assert page.status_code == 422
    assert NEW not in page.content.decode()
    assert user.check_password(PASSWORD)


def test_password_page_lets_nobody_guess():
    client = client_of(make_customer())
    for _ in range(5):
        client.post(PASSWORD_PAGE, {"password": "wrong", "new_password": NEW})

    assert client.post(PASSWORD_PAGE, {"password": PASSWORD, "new_password": NEW}).status_code == 429


@pytest.mark.parametrize("address", [OTHERS, PASSWORD_PAGE])
def test_pages_are_for_those_with_an_account(address):
    assert Client().get(address).headers["Location"].startswith("/sign-in/")
    assert staff_client(make_staff()).get(address).status_code == 200


def test_change_password_address_for_password_managers():
    assert client_of(make_customer()).get("/.well-known/change-password").headers["Location"] == PASSWORD_PAGE
