"""The index of mailboxes moves from key to key while people sign in."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from audit.events import Event
from marketplace.accounts.actions import answer_password_reset, request_password_reset, rotate_mailbox_index
from marketplace.accounts.actions import mailboxes as module
from marketplace.accounts.errors import MailboxTaken
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import AccountDetails, MailboxIndex
from marketplace.accounts.queries import account_with_mailbox, is_mailbox_taken, mailboxes_under_other_keys
from privacy.access.gate import unit_of_work
from privacy.alerts.models import Alert, AlertKind
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS
from tests.accounts.people import EMAIL, PASSWORD, TEST, entries, make_customer, make_unconfirmed

pytestmark = pytest.mark.django_db
NEW_KEY = b"another key of thirty-two bytes!"


def swap_keys(settings):
    settings.BLIND_INDEX_KEY, settings.BLIND_INDEX_SECOND_KEY = NEW_KEY, settings.BLIND_INDEX_KEY


def rotate():
    return sum(rotate_mailbox_index(by=TEST))


def digests() -> dict:
    return {row.user_id: bytes(row.digest) for row in MailboxIndex.objects.all()}


@pytest.mark.promise("PROTECT-1")
def test_an_account_is_found_under_either_key_and_then_under_the_new_one_alone(settings):
    user = make_customer()
    swap_keys(settings)

    assert account_with_mailbox(EMAIL) == user
    assert Client().post("/sign-in/", {"email": EMAIL, "password": PASSWORD}).status_code == 302
    assert is_mailbox_taken(EMAIL, by_other_than=make_unconfirmed("b@example.org").pk)

    assert rotate() == 1
    settings.BLIND_INDEX_SECOND_KEY = b""

    assert account_with_mailbox(EMAIL) == user
    assert digests() == {user.pk: mailbox_digest(EMAIL)}


def test_without_the_second_key_an_account_that_was_not_moved_is_not_found(settings):
    make_customer()
    settings.BLIND_INDEX_KEY = NEW_KEY

    assert account_with_mailbox(EMAIL) is None


def test_rotate_mailbox_index_records_one_event_for_the_whole_and_each_opening_for_its_person(settings):
    one, other = make_customer(), make_customer("other@example.org")
    before = {user: entries(Event.DATA_OPENED, subject_id=user.subject_id) for user in (one, other)}
    swap_keys(settings)

    rotate()

    assert entries(Event.MAILBOX_INDEX_ROTATED) == 1
    assert {user: entries(Event.DATA_OPENED, subject_id=user.subject_id) for user in before} == {user: before[user] + 1 for user in before}
    assert entries(Event.DATA_OPENED, subject_id=one.subject_id, purpose="security") == 1


def test_rotate_mailbox_index_goes_on_where_it_stopped(settings, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 1)
    users = [make_customer(f"c{number}@example.org") for number in range(3)]
    swap_keys(settings)
    before = entries(Event.DATA_OPENED)

    next(rotate_mailbox_index(by=TEST))

    assert mailboxes_under_other_keys().count() == 2
    assert all(account_with_mailbox(f"c{number}@example.org") == user for number, user in enumerate(users))
    assert rotate() == 2
    assert rotate() == 0
    assert entries(Event.DATA_OPENED) == before + 3


def test_rotate_blind_index_says_what_is_left_and_raises_an_alert(settings):
    user = make_customer()
    make_customer("other@example.org")
    details = AccountDetails.objects.get(user=user)
    token = bytes(details.email.token)
    damaged = token[:-1] + bytes([token[-1] ^ 1])
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE accounts_accountdetails SET email = %s WHERE id = %s", [damaged, details.pk])
    swap_keys(settings)

    with pytest.raises(CommandError, match=r"^1 mailboxes are still under another key"):
        call_command("rotate_blind_index")

    assert Alert.objects.get(kind=AlertKind.VALUE_UNREADABLE).about_id == details.pk
    assert mailboxes_under_other_keys().get().user == user


def test_rotate_blind_index_says_when_the_second_key_can_go(settings, capsys):
    make_customer()
    swap_keys(settings)

    call_command("rotate_blind_index")

    assert capsys.readouterr().out.splitlines() == [
        "1 mailboxes moved.",
        "Every mailbox is under the key in use. BLIND_INDEX_SECOND_KEY can go.",
    ]


def test_a_mailbox_entered_under_the_other_key_cannot_be_claimed_again(settings):
    make_customer()
    other = make_unconfirmed("other@example.org")
    swap_keys(settings)

    with pytest.raises(MailboxTaken):
        module.claim_mailbox(other, EMAIL)

    assert len(digests()) == 1


def test_a_reset_that_was_asked_for_before_the_keys_were_swapped_still_finds_its_account(settings):
    user = make_customer()
    with unit_of_work():
        asked = request_password_reset(by=ANONYMOUS, email=EMAIL, locale="en")
    swap_keys(settings)
    with unit_of_work():
        asked_after = request_password_reset(by=ANONYMOUS, email=EMAIL, locale="en")

    for request in (asked, asked_after):
        answer_password_reset(request=request)

    assert OutboundMail.objects.filter(template="accounts-reset", subject_id=user.subject_id).count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_servers_that_do_not_agree_on_the_first_key_enter_a_mailbox_once(settings, monkeypatch):
    users = [make_unconfirmed(EMAIL), make_unconfirmed(EMAIL)]
    settings.BLIND_INDEX_SECOND_KEY = NEW_KEY
    places = iter([0, 1])

    def entered_slowly(email):
        sleep(0.5)
        return {"digest": module.mailbox_digests(email)[next(places)]}

    def claim(user):
        try:
            with unit_of_work():
                module.claim_mailbox(user, EMAIL)
        except MailboxTaken:
            return False
        finally:
            connections.close_all()
        return True

    monkeypatch.setattr(module, "_entry", entered_slowly)
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(claim, users)) == [False, True]
    assert MailboxIndex.objects.count() == 1
