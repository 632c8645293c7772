import pytest

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import close_account, request_mailbox_change
from marketplace.accounts.models import (
    AccountSession,
    AccountToken,
    MailboxIndex,
    PendingMailbox,
    RecoveryCodes,
    SecondFactor,
    User,
)
from marketplace.accounts.registrations import close_erased_account
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import unit_of_work
from privacy.vault.identifiers import uuid7
from tests.accounts.people import (
    TEST,
    UNWRITABLE,
    client_of,
    codes_of,
    entries,
    make_customer,
    make_staff,
    staff_client,
)

pytestmark = pytest.mark.django_db


def close(user, by=TEST):
    with unit_of_work():
        close_account(by=by, subject=user.subject_id)


@pytest.mark.promise("RIGHTS-3")
def test_close_account_leaves_a_bare_row():
    user = make_customer()
    client = client_of(user)
    issue_token(user, AccountToken.Kind.RESET)
    with unit_of_work():
        request_mailbox_change(by=user.actor, user=user, email="new@example.org")

    close(user)

    assert client.get("/account/").status_code == 302
    for model in (AccountSession, AccountToken, MailboxIndex, PendingMailbox):
        assert not model.objects.filter(user=user).exists()
    user.refresh_from_db()
    assert not user.is_active
    assert not user.has_usable_password()
    assert user.closed_at is not None
    assert entries(Event.ACCOUNT_CLOSED, subject_id=user.subject_id) == 1


def test_close_account_takes_the_second_factor_and_the_recovery_codes():
    user = make_staff()
    codes_of(user)
    client = staff_client(user)

    close(user)

    assert not SecondFactor.objects.exists()
    assert not RecoveryCodes.objects.exists()
    assert client.get("/admin/").status_code == 302


def test_close_account_twice_changes_nothing_more():
    user = make_customer()

    close(user)
    close(user)

    assert entries(Event.ACCOUNT_CLOSED) == 1


def test_close_account_of_somebody_without_one_does_nothing():
    with unit_of_work():
        close_account(by=TEST, subject=uuid7())

    assert entries(Event.ACCOUNT_CLOSED) == 0


def test_close_account_changes_nothing_if_the_event_cannot_be_written():
    user = make_customer()

    with pytest.raises(NotRecordable):
        close(user, by=UNWRITABLE)

    assert User.objects.get().is_active
    assert MailboxIndex.objects.exists()


def test_closed_account_leaves_its_mailbox_free():
    user = make_customer()
    with unit_of_work():
        close_erased_account(user.subject)

    again = make_customer()

    assert again.pk != user.pk
    assert client_of(again).get("/account/").status_code == 200
