from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import change_locale, confirm_mailbox_change, request_mailbox_change
from marketplace.accounts.errors import MailboxTaken, NotAllowed, TokenInvalid
from marketplace.accounts.models import AccountToken, PendingMailbox
from marketplace.accounts.queries import account_with_mailbox
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import ANONYMOUS, Actor, Role
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    client_of,
    deliver_all,
    entries,
    link_in,
    make_customer,
    make_staff,
    staff_client,
)

pytestmark = pytest.mark.django_db

NEW = "new.marker@example.org"


def email_of(user) -> str:
    user.refresh_from_db()
    with unit_of_work(), open_access(by=user.actor, purpose=Purpose.ACCOUNT, subject=user.subject_id) as grant:
        return grant.open(user.details.email)


def ask_for_change(user, by=None):
    with unit_of_work():
        return request_mailbox_change(by=by or user.actor, user=user, email=NEW)


@pytest.mark.promise("RIGHTS-2")
def test_request_mailbox_change_mails_both_mailboxes_and_changes_nothing_yet():
    user = make_customer()
    deliver_all()

    ask_for_change(user)

    told, asked = sorted(deliver_all(), key=lambda message: message.to != [EMAIL])
    assert told.to == [EMAIL]
    assert "/confirm/" not in told.body
    assert asked.to == [NEW]
    assert "/confirm/" in asked.body
    assert NEW not in told.body + told.subject + asked.body + asked.subject
    assert email_of(user) == EMAIL


def test_confirm_mailbox_change_takes_effect_by_the_link():
    user = make_customer()
    deliver_all()
    ask_for_change(user)
    asked = next(message for message in deliver_all() if message.to == [NEW])

    assert Client().get(link_in(asked)).status_code == 200
    assert Client().post(link_in(asked)).status_code == 200

    assert email_of(user) == NEW
    assert account_with_mailbox(NEW) == user
    assert account_with_mailbox(EMAIL) is None
    assert not PendingMailbox.objects.exists()
    assert entries(Event.DETAILS_CORRECTED, subject_id=user.subject_id) == 1


def test_confirm_mailbox_change_refuses_a_mailbox_that_was_confirmed_meanwhile():
    user = make_customer()
    ask_for_change(user)
    make_customer(email=NEW)
    token = issue_token(user, AccountToken.Kind.CHANGE)

    with pytest.raises(MailboxTaken), unit_of_work():
        confirm_mailbox_change(by=ANONYMOUS, token=token)

    assert email_of(user) == EMAIL


def test_confirm_mailbox_change_refuses_an_expired_token():
    user = make_customer()
    ask_for_change(user)
    token = issue_token(user, AccountToken.Kind.CHANGE)

    with time_machine.travel(timezone.now() + timedelta(days=2)), pytest.raises(TokenInvalid), unit_of_work():
        confirm_mailbox_change(by=ANONYMOUS, token=token)


def test_confirm_mailbox_change_refuses_the_link_of_an_earlier_mailbox():
    user = make_customer()
    deliver_all()
    ask_for_change(user)
    first = next(message for message in deliver_all() if message.to == [NEW])
    with unit_of_work():
        request_mailbox_change(by=user.actor, user=user, email="never.proven@example.org")

    page = Client().post(link_in(first))

    assert page.status_code == 410
    assert email_of(user) == EMAIL
    assert account_with_mailbox("never.proven@example.org") is None


def test_confirm_mailbox_change_ends_links_mailed_to_the_old_mailbox():
    user = make_customer()
    reset = issue_token(user, AccountToken.Kind.RESET)
    ask_for_change(user)

    with unit_of_work():
        confirm_mailbox_change(by=ANONYMOUS, token=issue_token(user, AccountToken.Kind.CHANGE))

    assert Client().get(f"/password-reset/{reset}/").status_code == 410


def test_confirm_mailbox_change_refuses_a_link_whose_address_is_gone():
    user = make_customer()
    ask_for_change(user)
    token = issue_token(user, AccountToken.Kind.CHANGE)
    PendingMailbox.objects.all().delete()

    assert Client().post(f"/confirm/{token}/").status_code == 410


def test_mail_to_a_known_new_mailbox_holds_no_link_to_confirm():
    user = make_customer()
    make_customer(email=NEW)
    deliver_all()

    ask_for_change(user)

    message = next(message for message in deliver_all() if message.to == [NEW])
    assert "/confirm/" not in message.body


@pytest.mark.parametrize("action", [ask_for_change, lambda user, by: change_locale(by=by, user=user, locale="de")])
def test_details_of_somebody_else_are_refused(action):
    user = make_customer()
    stranger = Actor(Role.CUSTOMER, id=make_customer(email="other@example.org").subject_id)

    with pytest.raises(NotAllowed):
        action(user, by=stranger)


def test_request_mailbox_change_changes_nothing_if_the_event_cannot_be_written():
    user = make_customer()
    unwritable = Actor(Role.CUSTOMER, id=user.subject_id, name="no token at all")

    with pytest.raises(NotRecordable):
        ask_for_change(user, by=unwritable)

    assert not PendingMailbox.objects.exists()


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
    assert f"Hello, {NAME}" in client_of(make_customer()).get("/account/").content.decode()
