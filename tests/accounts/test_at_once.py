"""Two at once: real threads, each with a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from marketplace.accounts.actions import confirm_mailbox, reset_password, verify_second_factor
from marketplace.accounts.errors import MailboxTaken, TokenInvalid
from marketplace.accounts.models import AccountToken, MailboxIndex
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import unit_of_work
from privacy.policy.roles import ANONYMOUS
from tests.accounts.people import TEST, fresh_code, make_customer, make_staff, make_unconfirmed

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

    results = together(*(lambda token=token: confirm_mailbox(by=ANONYMOUS, token=token) for token in tokens))

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
