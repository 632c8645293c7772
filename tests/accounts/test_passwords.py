import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import answer_password_reset, request_mailbox_change, request_password_reset, reset_password
from marketplace.accounts.errors import TokenInvalid
from marketplace.accounts.models import AccountSession, AccountToken, PasswordResetRequest
from marketplace.accounts.queries import account_with_mailbox
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import unit_of_work
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    UNWRITABLE,
    client_of,
    deliver_all,
    entries,
    link_in,
    make_customer,
)

pytestmark = pytest.mark.django_db

NEW = "eleven blue chairs by the sea"


def ask_for_reset(email=EMAIL):
    with unit_of_work():
        return request_password_reset(by=ANONYMOUS, email=email, locale="en")


def test_request_password_reset_queues_a_question_and_writes_one_event():
    request = ask_for_reset()

    assert request.state == "queued"
    assert entries(Event.PASSWORD_RESET_REQUESTED, object_id=request.pk) == 1


def test_request_password_reset_changes_nothing_if_the_event_cannot_be_written():
    with pytest.raises(NotRecordable), unit_of_work():
        request_password_reset(by=UNWRITABLE, email=EMAIL, locale="en")

    assert not PasswordResetRequest.objects.exists()


def test_answer_password_reset_mails_a_link_that_sets_a_password():
    user = make_customer()
    deliver_all()
    answer_password_reset(request=ask_for_reset())
    [message] = deliver_all()
    client = Client()

    assert client.get(link_in(message)).status_code == 200
    assert client.post(link_in(message), {"password": NEW}).status_code == 200

    user.refresh_from_db()
    assert user.check_password(NEW)
    assert entries(Event.PASSWORD_CHANGED, subject_id=user.subject_id) == 1
    assert EMAIL not in message.body + message.subject
    assert NAME not in message.body + message.subject


def test_answer_password_reset_is_silent_for_an_unknown_mailbox():
    answer_password_reset(request=ask_for_reset("nobody@example.org"))

    assert not OutboundMail.objects.exists()


@pytest.mark.promise("COLLECT-6")
def test_answer_password_reset_forgets_the_address():
    request = ask_for_reset()

    answer_password_reset(request=request)
    answer_password_reset(request=request)

    request.refresh_from_db()
    assert request.digests is None


@pytest.mark.promise("PROTECT-3")
def test_password_reset_page_does_not_reveal_who_has_an_account():
    make_customer()
    answers = []
    for email in (EMAIL, "nobody@example.org"):
        client = Client()
        with CaptureQueriesContext(connections["default"]) as queries, CaptureQueriesContext(connections["vault"]) as keys:
            page = client.post("/password-reset/", {"email": email})
            sent = client.get(page.headers["Location"])
        answers.append((page.status_code, page.headers["Location"], without_tokens(sent), len(queries), len(keys)))

    assert answers[0] == answers[1]


def without_tokens(page):
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", page.content.decode())


def test_reset_password_ends_sessions_and_tells_the_mailbox():
    user = make_customer()
    client = client_of(user)
    deliver_all()

    with unit_of_work():
        reset_password(by=ANONYMOUS, token=issue_token(user, AccountToken.Kind.RESET), password=NEW)

    assert not AccountSession.objects.filter(user=user).exists()
    assert client.get("/account/").status_code == 302
    [message] = deliver_all()
    assert message.subject == "Your password was changed"


def test_reset_password_lifts_a_lock_out():
    user = make_customer()
    for _ in range(6):
        Client().post("/sign-in/", {"email": EMAIL, "password": "wrong wrong wrong"})

    Client().post(f"/password-reset/{issue_token(user, AccountToken.Kind.RESET)}/", {"password": NEW})

    assert Client().post("/sign-in/", {"email": EMAIL, "password": NEW}).status_code == 302


def test_reset_password_ends_a_change_of_the_mailbox():
    user = make_customer()
    with unit_of_work():
        request_mailbox_change(by=user.actor, user=user, email="somebody.else@example.org")
    deliver_all()
    link = issue_token(user, AccountToken.Kind.CHANGE)

    with unit_of_work():
        reset_password(by=ANONYMOUS, token=issue_token(user, AccountToken.Kind.RESET), password=NEW)

    assert Client().post(f"/confirm/{link}/").status_code == 410
    assert account_with_mailbox(EMAIL) == user


def test_reset_password_works_once_and_spends_every_other_link():
    user = make_customer()
    first, second = (issue_token(user, AccountToken.Kind.RESET) for _ in range(2))
    with unit_of_work():
        reset_password(by=ANONYMOUS, token=first, password=NEW)

    for token in (first, second):
        with pytest.raises(TokenInvalid), unit_of_work():
            reset_password(by=ANONYMOUS, token=token, password=PASSWORD)


def test_reset_password_refuses_an_expired_token():
    token = issue_token(make_customer(), AccountToken.Kind.RESET)

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert Client().get(f"/password-reset/{token}/").status_code == 410


def test_reset_password_changes_nothing_if_the_event_cannot_be_written():
    user = make_customer()
    token = issue_token(user, AccountToken.Kind.RESET)

    with pytest.raises(NotRecordable), unit_of_work():
        reset_password(by=UNWRITABLE, token=token, password=NEW)

    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_reset_password_page_refuses_a_short_password():
    token = issue_token(make_customer(), AccountToken.Kind.RESET)

    assert Client().post(f"/password-reset/{token}/", {"password": "short"}).status_code == 422


def test_reset_mails_to_one_mailbox_are_limited():
    answers = [Client().post("/password-reset/", {"email": EMAIL}).headers["Location"] for _ in range(6)]

    assert answers == ["/password-reset/sent/"] * 6
    assert PasswordResetRequest.objects.count() == 5
    assert entries(Event.PASSWORD_RESET_REQUESTED) == 5


def ask_for_too_many_resets():
    """Asks at the page, and answers as the worker would; returns the links in the mails."""
    asked = set(PasswordResetRequest.objects.values_list("pk", flat=True))
    for _ in range(10):
        assert Client().post("/password-reset/", {"email": EMAIL}).status_code == 302
    for request in PasswordResetRequest.objects.exclude(pk__in=asked):
        answer_password_reset(request=request)
    return [link_in(message) for message in deliver_all()]


def test_a_mailed_link_lifts_a_lock_out_when_no_more_mails_are_sent():
    make_customer()
    deliver_all()
    for _ in range(6):
        Client().post("/sign-in/", {"email": EMAIL, "password": "wrong wrong wrong"})
    links = ask_for_too_many_resets()

    assert len(links) == 5
    assert Client().post(links[0], {"password": NEW}).status_code == 200
    assert Client().post("/sign-in/", {"email": EMAIL, "password": NEW}).status_code == 302


def test_a_mailed_link_works_for_as_long_as_mails_are_held_back():
    make_customer()
    deliver_all()
    first, *_rest = ask_for_too_many_resets()

    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        assert Client().get(first).status_code == 200


def test_reset_password_lets_the_next_mail_go_out():
    make_customer()
    deliver_all()
    first, *_rest = ask_for_too_many_resets()
    Client().post(first, {"password": NEW})
    deliver_all()

    assert len(ask_for_too_many_resets()) == 5


def test_change_password_address_for_password_managers():
    assert Client().get("/.well-known/change-password").headers["Location"] == "/password-reset/"
