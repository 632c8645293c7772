"""Two at once: real threads, each with a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from marketplace.accounts.actions import (
    agree_to_mailbox_change,
    change_role,
    close_unconfirmed_accounts,
    confirm_mailbox,
    confirm_mailbox_change,
    dismiss_staff,
    invite_staff,
    refuse_mailbox_change,
    request_mailbox_change,
    reset_password,
    use_recovery_code,
    verify_second_factor,
)
from marketplace.accounts.codes import plain_digits
from marketplace.accounts.errors import MailboxTaken, NotAllowed, TokenInvalid
from marketplace.accounts.mail import mailbox_change
from marketplace.accounts.models import AccountToken, MailboxIndex, PendingMailbox, User
from marketplace.accounts.queries import account_with_mailbox, recovery_codes_left
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import POSTMAN
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS, Role
from privacy.vault.identifiers import uuid7
from tests.accounts.people import (
    PASSWORD,
    TEST,
    codes_of,
    fresh_code,
    make_customer,
    make_protected,
    make_staff,
    make_unconfirmed,
)
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
        except (MailboxTaken, NotAllowed, TokenInvalid) as error:
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


def test_use_recovery_code_takes_a_code_once():
    user = make_protected()
    code = plain_digits(codes_of(user)[0])

    results = together(*(lambda: use_recovery_code(by=user.actor, user=user, code=code) for _ in range(2)))

    assert sorted(results) == [False, True]
    assert recovery_codes_left(user) == 9


def test_both_mailboxes_answer_at_once_and_the_change_is_made_once():
    user = make_customer()
    with unit_of_work():
        request_mailbox_change(by=user.actor, user=user, email="new@example.org")
    change, agree = issue_token(user, AccountToken.Kind.CHANGE), issue_token(user, AccountToken.Kind.AGREE)

    results = together(
        lambda: confirm_mailbox_change(by=ANONYMOUS, token=change), lambda: agree_to_mailbox_change(by=ANONYMOUS, token=agree)
    )

    assert sorted(results) == [False, True]
    assert not PendingMailbox.objects.exists()
    assert account_with_mailbox("new@example.org") == user


def test_agree_to_mailbox_change_and_refusing_it_at_once_never_both_happen():
    user = make_customer()
    with unit_of_work():
        request_mailbox_change(by=user.actor, user=user, email="new@example.org")
    agree, refuse = issue_token(user, AccountToken.Kind.AGREE), issue_token(user, AccountToken.Kind.REFUSE)

    together(lambda: agree_to_mailbox_change(by=ANONYMOUS, token=agree), lambda: refuse_mailbox_change(by=ANONYMOUS, token=refuse))

    assert not PendingMailbox.objects.exists()


def test_change_role_leaves_one_of_two_administrators_who_depose_each_other():
    first, second = (make_staff(Role.ADMINISTRATOR, f"{name}@example.org") for name in ("first", "second"))

    results = together(
        lambda: change_role(by=first.actor, user=second, role=Role.SUPPORT),
        lambda: change_role(by=second.actor, user=first, role=Role.SUPPORT),
    )

    assert results.count(NotAllowed) == 1
    assert User.objects.filter(role=Role.ADMINISTRATOR).count() == 1


def test_dismiss_staff_leaves_one_of_two_administrators_who_end_each_other():
    first, second = (make_staff(Role.ADMINISTRATOR, f"{name}@example.org") for name in ("first", "second"))

    results = together(
        lambda: dismiss_staff(by=first.actor, user=second),
        lambda: change_role(by=second.actor, user=first, role=Role.SUPPORT),
    )

    assert results.count(NotAllowed) == 1
    assert User.objects.filter(role=Role.ADMINISTRATOR, closed_at=None).count() == 1


def test_invite_staff_pressed_twice_at_once_invites_once():
    boss, invitation = make_staff(Role.ADMINISTRATOR), uuid7()

    results = together(
        *(lambda: invite_staff(by=boss.actor, invitation=invitation, email="new@example.org", role=Role.SUPPORT) for _ in range(2))
    )

    assert {user.pk for user in results} == {invitation}
    assert OutboundMail.objects.filter(template="accounts-invitation").count() == 1


def is_somebody_waiting(owner_connection) -> bool:
    with owner_connection("default").cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.fetchone()[0] > 0
