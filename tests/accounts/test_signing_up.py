import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import (
    close_unconfirmed_accounts,
    confirm_mailbox,
    send_confirmation_again,
    sign_up,
)
from marketplace.accounts.errors import MailboxTaken, TokenInvalid
from marketplace.accounts.models import AccountDetails, AccountToken, MailboxIndex, User
from marketplace.accounts.tokens import issue_token
from privacy.access.errors import GroundMissing
from privacy.access.gate import open_access, unit_of_work
from privacy.access.limits import network_digest
from privacy.consent.queries import has_consent
from privacy.consent.statements import fingerprint
from privacy.declarations.purposes import Purpose
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    UNWRITABLE,
    deliver_all,
    entries,
    link_in,
    make_customer,
    make_unconfirmed,
)

pytestmark = pytest.mark.django_db

FORM = {"email": EMAIL, "name": NAME, "password": PASSWORD, "consent_account": fingerprint(Purpose.ACCOUNT, "en")}


def sign_up_as(by=ANONYMOUS, purposes=(Purpose.ACCOUNT,)):
    with unit_of_work():
        return sign_up(by=by, email=EMAIL, name=NAME, password=PASSWORD, purposes=purposes, locale="en")


@pytest.mark.promise("COLLECT-3")
def test_sign_up_opens_an_account_with_its_consents():
    user = sign_up_as(purposes=[Purpose.ACCOUNT, Purpose.IMPROVEMENT])

    assert user.confirmed_at is None
    assert has_consent(user.subject_id, Purpose.ACCOUNT)
    assert has_consent(user.subject_id, Purpose.IMPROVEMENT)
    with unit_of_work(), open_access(by=user.actor, purpose=Purpose.ACCOUNT, subject=user.subject_id) as grant:
        assert grant.open(user.details.email) == EMAIL
        assert grant.open(user.details.name) == NAME


def test_sign_up_writes_one_event():
    user = sign_up_as()

    assert entries(Event.ACCOUNT_CREATED, subject_id=user.subject_id) == 1


@pytest.mark.promise("COLLECT-3")
def test_sign_up_without_the_essential_permission_is_refused():
    with pytest.raises(GroundMissing):
        sign_up_as(purposes=[Purpose.IMPROVEMENT])

    assert not AccountDetails.objects.exists()
    assert not User.objects.exists()


@pytest.mark.promise("USE-3")
def test_sign_up_changes_nothing_if_the_event_cannot_be_written():
    with pytest.raises(NotRecordable):
        sign_up_as(by=UNWRITABLE)

    assert not User.objects.exists()
    assert not OutboundMail.objects.exists()


def test_sign_up_page_ticks_nothing_beforehand():
    page = Client().get("/sign-up/")

    assert page.status_code == 200
    assert "checked" not in page.content.decode()
    assert "/privacy/policy/" in page.content.decode()


@pytest.mark.parametrize("missing", ["email", "name", "password", "consent_account"])
def test_sign_up_page_needs_each_field(missing):
    form = {name: value for name, value in FORM.items() if name != missing}

    page = Client().post("/sign-up/", form)

    assert page.status_code == 422
    assert not User.objects.exists()


@pytest.mark.promise("COLLECT-3")
def test_sign_up_page_refuses_a_field_that_it_did_not_ask_for():
    page = Client().post("/sign-up/", FORM | {"gender": "x"})

    assert page.status_code == 422
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "password1234"])
def test_sign_up_page_refuses_a_weak_password(password):
    page = Client().post("/sign-up/", FORM | {"password": password})

    assert page.status_code == 422


@pytest.mark.promise("PROTECT-3")
def test_sign_up_page_does_not_reveal_who_has_an_account():
    make_unconfirmed(email="first@example.org")  # whoever is first enters the words of the permission
    answers = []
    for known in (False, True):
        if known:
            make_customer()
        client = Client()
        with CaptureQueriesContext(connections["default"]) as queries, CaptureQueriesContext(connections["vault"]) as keys:
            page = client.post("/sign-up/", FORM)
            sent = client.get(page.headers["Location"])
        answers.append((page.status_code, page.headers["Location"], without_token(sent), len(queries), len(keys)))

    assert answers[0] == answers[1]


def without_token(page):
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", page.content.decode())


def test_mail_to_a_known_mailbox_says_so_and_holds_no_token():
    make_customer()
    deliver_all()
    sign_up_as()

    [message] = deliver_all()

    assert "You have one already" in message.body
    assert "/confirm/" not in message.body
    assert message.to == [EMAIL]


@pytest.mark.promise("PROTECT-4")
def test_mail_names_nobody():
    sign_up_as()

    [message] = deliver_all()

    words = message.subject + message.body + str(message.alternatives)
    assert EMAIL not in words
    assert NAME not in words


def test_confirm_mailbox_makes_the_account_usable():
    user = make_unconfirmed()
    [message] = deliver_all()
    address = link_in(message)
    client = Client()

    asked = client.get(address)
    user.refresh_from_db()
    assert asked.status_code == 200
    assert user.confirmed_at is None  # a program that opens every link in a mail changes nothing

    done = client.post(address, {"password": PASSWORD})
    user.refresh_from_db()
    assert done.status_code == 200
    assert user.confirmed_at is not None
    assert MailboxIndex.objects.filter(user=user).count() == 1
    assert entries(Event.MAILBOX_CONFIRMED, subject_id=user.subject_id) == 1


@pytest.mark.promise("PROTECT-3")
def test_confirm_mailbox_refuses_whoever_did_not_choose_the_password():
    """Somebody opens an account with another person's address; that person follows the link."""
    user = make_unconfirmed()
    [message] = deliver_all()
    victim, intruder = Client(), Client()

    statuses = [victim.post(link_in(message), form).status_code for form in ({}, {"password": "not the one chosen"})]
    intruder.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})

    user.refresh_from_db()
    assert statuses == [422, 422]
    assert user.confirmed_at is None
    assert not MailboxIndex.objects.exists()
    assert entries(Event.MAILBOX_CONFIRMED) == 0
    assert intruder.get("/account/").status_code == 302


def test_confirm_page_says_what_to_do_without_the_password():
    user = make_unconfirmed()

    page = Client().post(f"/confirm/{issue_token(user, AccountToken.Kind.CONFIRM)}/", {"password": "wrong"}).content.decode()

    assert "not the password that was chosen" in page
    assert "after three days the account and all that was entered for it are gone" in page
    assert "/sign-up/" in page


def test_confirm_mailbox_still_works_after_a_wrong_password():
    token = issue_token(make_unconfirmed(), AccountToken.Kind.CONFIRM)

    statuses = [Client().post(f"/confirm/{token}/", {"password": password}).status_code for password in ("wrong", PASSWORD)]

    assert statuses == [422, 200]


@pytest.mark.promise("PROTECT-3")
def test_confirm_mailbox_lets_nobody_guess_the_password():
    token = issue_token(make_unconfirmed(), AccountToken.Kind.CONFIRM)
    for _ in range(5):
        Client().post(f"/confirm/{token}/", {"password": "wrong"})

    page = Client().post(f"/confirm/{token}/", {"password": PASSWORD})

    assert page.status_code == 429
    assert "quarter of an hour" in page.content.decode()
    assert not MailboxIndex.objects.exists()


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("kind", [AccountToken.Kind.CONFIRM, AccountToken.Kind.CHANGE])
def test_confirm_page_refuses_a_field_that_it_did_not_ask_for(kind):
    token = issue_token(make_unconfirmed(), kind)
    form = {"password": PASSWORD} if kind == AccountToken.Kind.CONFIRM else {}

    page = Client().post(f"/confirm/{token}/", form | {"gender": "x"})

    assert page.status_code == 422
    assert not MailboxIndex.objects.exists()


def test_confirm_mailbox_works_once():
    user = make_unconfirmed()
    token = issue_token(user, AccountToken.Kind.CONFIRM)
    with unit_of_work():
        confirm_mailbox(by=ANONYMOUS, token=token, password=PASSWORD)

    with pytest.raises(TokenInvalid), unit_of_work():
        confirm_mailbox(by=ANONYMOUS, token=token, password=PASSWORD)
    assert Client().get(f"/confirm/{token}/").status_code == 410


def test_confirm_mailbox_refuses_an_expired_token():
    token = issue_token(make_unconfirmed(), AccountToken.Kind.CONFIRM)

    with time_machine.travel(timezone.now() + timedelta(days=4)):
        assert Client().post(f"/confirm/{token}/", {"password": PASSWORD}).status_code == 410


def test_confirm_mailbox_refuses_a_token_of_another_kind():
    token = issue_token(make_unconfirmed(), AccountToken.Kind.RESET)

    with pytest.raises(TokenInvalid), unit_of_work():
        confirm_mailbox(by=ANONYMOUS, token=token, password=PASSWORD)


def test_confirm_mailbox_refuses_a_mailbox_that_another_account_confirmed():
    make_customer()
    second = make_unconfirmed(email=EMAIL.upper())
    token = issue_token(second, AccountToken.Kind.CONFIRM)

    with pytest.raises(MailboxTaken), unit_of_work():
        confirm_mailbox(by=ANONYMOUS, token=token, password=PASSWORD)

    second.refresh_from_db()
    assert second.confirmed_at is None


@pytest.mark.promise("USE-3")
def test_confirm_mailbox_changes_nothing_if_the_event_cannot_be_written():
    token = issue_token(make_unconfirmed(), AccountToken.Kind.CONFIRM)

    with pytest.raises(NotRecordable), unit_of_work():
        confirm_mailbox(by=UNWRITABLE, token=token, password=PASSWORD)

    assert not MailboxIndex.objects.exists()


def test_token_is_stored_nowhere_in_clear():
    user = make_unconfirmed()
    token = issue_token(user, AccountToken.Kind.CONFIRM)

    stored = AccountToken.objects.get(user=user)

    assert token.encode() not in bytes(stored.digest)
    assert len(bytes(stored.digest)) == 32


def test_send_confirmation_again_mails_a_second_link():
    user = make_unconfirmed()
    deliver_all()

    with unit_of_work():
        send_confirmation_again(by=ANONYMOUS, user=user)

    assert len(deliver_all()) == 1


def test_send_confirmation_again_is_silent_for_a_confirmed_mailbox():
    user = make_customer()
    deliver_all()

    with unit_of_work():
        send_confirmation_again(by=ANONYMOUS, user=user)

    assert deliver_all() == []


def test_sign_up_again_page_sends_to_this_browsers_account_only():
    client = Client()
    client.post("/sign-up/", FORM)
    deliver_all()

    assert client.post("/sign-up/again/").status_code == 200
    assert len(deliver_all()) == 1
    assert Client().post("/sign-up/again/").headers["Location"] == "/sign-up/"


def test_sign_up_again_page_refuses_a_field_that_it_did_not_ask_for():
    client = Client()
    client.post("/sign-up/", FORM)
    deliver_all()

    assert client.post("/sign-up/again/", {"email": "other@example.org"}).status_code == 422
    assert deliver_all() == []


def sign_up_from(network, number=1, form=FORM):
    return [Client(REMOTE_ADDR=network).post("/sign-up/", form).status_code for _ in range(number)]


def test_mails_to_one_mailbox_asked_for_by_one_requester_are_limited():
    assert sign_up_from("192.0.2.1", 6) == [302] * 5 + [429]


def test_stranger_who_uses_the_limit_up_does_not_delay_anybody_elses_sign_up():
    assert sign_up_from("192.0.2.1", 30)[5:] == [429] * 25

    assert sign_up_from("198.51.100.7") == [302]


def test_mails_to_one_mailbox_asked_for_by_many_are_limited():
    statuses = [status for number in range(6) for status in sign_up_from(f"192.0.2.{number}", 4)]

    assert statuses == [302] * 20 + [429] * 4


def test_sign_up_page_above_the_limit_says_so_and_keeps_what_was_typed():
    sign_up_from("192.0.2.1", 5)

    page = Client(REMOTE_ADDR="192.0.2.1").post("/sign-up/", FORM).content.decode()

    assert "no account was created" in page
    assert EMAIL in page
    assert NAME in page
    assert PASSWORD not in page
    assert User.objects.count() == 5


@pytest.mark.promise("COLLECT-1")
def test_limit_keeps_neither_mailbox_nor_network_address():
    sign_up_from("192.0.2.77", 2)

    backend = cache._cache.get_client(write=True)
    stored = b"".join(key + (backend.get(key) or b"") for key in backend.scan_iter() if backend.type(key) == b"string")
    assert b"sign-up" in stored
    for marker in (EMAIL.encode(), b"192.0.2.77", mailbox_and_network("192.0.2.77")):
        assert marker not in stored


def mailbox_and_network(network):
    """The digest that would tell in which counts one network took part."""
    return network_digest(RequestFactory(REMOTE_ADDR=network).get("/")).hex().encode()


@pytest.mark.promise("CHANGE-3")
def test_close_unconfirmed_accounts_closes_those_that_waited_three_days():
    stale = make_unconfirmed()
    kept = make_customer(email="other@example.org")

    with time_machine.travel(timezone.now() + timedelta(days=4)):
        assert close_unconfirmed_accounts() == 1

    stale.refresh_from_db()
    kept.refresh_from_db()
    assert stale.closed_at is not None
    assert kept.closed_at is None
    assert mail.outbox == []
