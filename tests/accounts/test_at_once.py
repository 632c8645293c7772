"""Two at once: real threads, each with a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from marketplace.accounts.actions import (
    close_unconfirmed_accounts,
    confirm_mailbox,
    request_mailbox_change,
    reset_password,
    verify_second_factor,
)
from marketplace.accounts.errors import MailboxTaken, TokenInvalid
from marketplace.accounts.mail import mailbox_change
from marketplace.accounts.models import AccountToken, MailboxIndex, User
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import POSTMAN
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS
from tests.accounts.people import PASSWORD, TEST, fresh_code, make_customer, make_staff, make_unconfirmed
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def together(*works):
    """Run these in one unit of work each, begun at the same moment; returns results and errors in order."""
    barrier = Barrier(len(works))

    def run(work):
        try:
            barrier.wait(timeout=10)
            with unit_of_work():
                return work()
        except (MailboxTaken, TokenInvalid) as error:
            return type(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_confirm_mailbox_gives_it_to_one_of_two_accounts():
    tokens = [issue_token(make_unconfirmed(), AccountToken.Kind.CONFIRM) for _ in range(2)]

    results = together(*(lambda token=token: confirm_mailbox(by=ANONYMOUS, token=token, password=PASSWORD) for token in tokens))

    assert results.count(MailboxTaken) == 1
    assert MailboxIndex.objects.count() == 1


def test_reset_password_spends_a_token_once():
    token = issue_token(make_customer(), AccountToken.Kind.RESET)

    results = together(*(lambda: reset_password(by=ANONYMOUS, token=token, password="one two three four five") for _ in range(2)))

    assert results.count(TokenInvalid) == 1


def test_verify_second_factor_takes_a_code_once():
    user = make_staff()
    code = fresh_code(user)

    results = together(*(lambda: verify_second_factor(by=TEST, user=user, code=code) for _ in range(2)))

    assert sorted(results) == [False, True]


def test_close_unconfirmed_accounts_leaves_one_that_is_confirmed_meanwhile(owner_connection):
    user = make_unconfirmed()
    User.objects.filter(pk=user.pk).update(created_at=timezone.now() - timedelta(days=4))

    def close():
        try:
            return close_unconfirmed_accounts()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with unit_of_work():
            confirm_mailbox(by=ANONYMOUS, token=issue_token(user, AccountToken.Kind.CONFIRM), password=PASSWORD)
            closing = pool.submit(close)
            wait_until(lambda: is_somebody_waiting(owner_connection), "the clean-up waits for the account")

        assert closing.result(timeout=10) == 0

    user.refresh_from_db()
    assert user.closed_at is None


def test_request_mailbox_change_drops_a_link_that_is_just_being_made(owner_connection):
    user = make_customer()
    with unit_of_work():
        request_mailbox_change(by=user.actor, user=user, email="first@example.org")
    mail = OutboundMail.objects.get(template="accounts-change")

    def ask_again():
        try:
            with unit_of_work():
                request_mailbox_change(by=user.actor, user=user, email="second@example.org")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(), open_access(by=POSTMAN, purpose=Purpose.ACCOUNT, subject=user.subject_id) as grant:
            mailbox_change(mail, grant)
            asking = pool.submit(ask_again)
            wait_until(lambda: is_somebody_waiting(owner_connection), "the second request waits for the link")
        asking.result(timeout=10)

    assert not AccountToken.objects.filter(kind=AccountToken.Kind.CHANGE).exists()


def is_somebody_waiting(owner_connection) -> bool:
    with owner_connection("default").cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.fetchone()[0] > 0
