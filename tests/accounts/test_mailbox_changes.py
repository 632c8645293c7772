from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import (
    agree_to_mailbox_change,
    cancel_mailbox_change,
    complete_mailbox_change,
    confirm_mailbox_change,
    forget_unproven_changes,
    refuse_mailbox_change,
    request_mailbox_change,
    warn_old_mailboxes,
)
from marketplace.accounts.errors import ChangeMustWait, MailboxTaken, NotAllowed, TokenInvalid
from marketplace.accounts.models import AccountSession, AccountToken, PendingMailbox
from marketplace.accounts.queries import account_with_mailbox
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import ANONYMOUS, Actor, Role
from tests.accounts.people import (
    EMAIL,
    PASSWORD,
    UNWRITABLE,
    client_of,
    codes_of,
    deliver_all,
    entries,
    fresh_code,
    make_customer,
    make_protected,
    make_staff,
    protected_client,
)

pytestmark = pytest.mark.django_db

NEW = "new.marker@example.org"
DETAILS = "/account/details/"
Kind = AccountToken.Kind
AFTER_FOURTEEN_DAYS = timedelta(days=14, minutes=1)


def email_of(user) -> str:
    user.refresh_from_db()
    with unit_of_work(), open_access(by=user.actor, purpose=Purpose.ACCOUNT, subject=user.subject_id) as grant:
        return grant.open(user.details.email)


def ask_for_change(user, by=None, email=NEW):
    with unit_of_work():
        return request_mailbox_change(by=by or user.actor, user=user, email=email)


def answer(action, kind, user, by=ANONYMOUS):
    token = issue_token(user, kind)
    with unit_of_work():
        return action(by=by, token=token)


def prove(user, by=ANONYMOUS):
    return answer(confirm_mailbox_change, Kind.CHANGE, user, by)


def agree(user, by=ANONYMOUS):
    return answer(agree_to_mailbox_change, Kind.AGREE, user, by)


def refuse(user, by=ANONYMOUS):
    return answer(refuse_mailbox_change, Kind.REFUSE, user, by)


def complete(user, by=None):
    with unit_of_work():
        complete_mailbox_change(by=by or user.actor, user=user)


def cancel(user, by=None):
    with unit_of_work():
        cancel_mailbox_change(by=by or user.actor, user=user)


def asked_and_proven():
    user = make_customer()
    ask_for_change(user)
    prove(user)
    return user


def links_in(message):
    """The paths in a mail, by what they are for."""
    paths = ["/" + line.split("/", 3)[3] for line in message.body.splitlines() if line.startswith("http")]
    return {next(kind for kind in ("refuse", "agree", "confirm") if kind in path): path for path in paths}


def mailed(user):
    """The links mailed to the old mailbox and to the new one."""
    links = {}
    for message in deliver_all():
        if message.to == [NEW] or message.subject == "A new address for your account":
            links |= links_in(message)
    return links


# Asking


@pytest.mark.promise("RIGHTS-2")
def test_request_mailbox_change_mails_a_link_to_both_and_changes_nothing_yet():
    user = make_customer()
    deliver_all()

    ask_for_change(user)

    told, asked = sorted(deliver_all(), key=lambda message: message.to != [EMAIL])
    assert told.to == [EMAIL]
    assert set(links_in(told)) == {"agree", "refuse"}
    assert asked.to == [NEW]
    assert set(links_in(asked)) == {"confirm"}
    assert NEW not in told.body + told.subject + asked.body + asked.subject
    assert EMAIL not in told.body + told.subject + asked.body + asked.subject
    assert email_of(user) == EMAIL
    assert entries(Event.MAILBOX_CHANGE_REQUESTED, subject_id=user.subject_id) == 1


def test_mail_to_a_known_new_mailbox_holds_no_link_to_confirm():
    user = make_customer()
    make_customer(email=NEW)
    deliver_all()

    ask_for_change(user)

    message = next(message for message in deliver_all() if message.to == [NEW])
    assert "/confirm/" not in message.body


# Both answer


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("order", [("confirm", "agree"), ("agree", "confirm")])
def test_change_takes_both_links_in_either_order(order):
    user = make_customer()
    ask_for_change(user)
    links = mailed(user)

    first = Client().post(links[order[0]], {"submit": "1"})
    assert first.status_code == 200
    assert email_of(user) == EMAIL
    second = Client().post(links[order[1]], {"submit": "1"})

    assert second.status_code == 200
    assert "Your email address is changed" in second.content.decode()
    assert email_of(user) == NEW
    assert account_with_mailbox(NEW) == user
    assert account_with_mailbox(EMAIL) is None
    assert not PendingMailbox.objects.exists()
    assert entries(Event.MAILBOX_CHANGE_ANSWERED, subject_id=user.subject_id) == 2
    assert entries(Event.DETAILS_CORRECTED, subject_id=user.subject_id) == 1


@pytest.mark.parametrize("kind", ["confirm", "agree", "refuse"])
def test_link_asks_before_it_answers(kind):
    user = make_customer()
    ask_for_change(user)
    link = mailed(user)[kind]

    assert Client().get(link).status_code == 200
    assert Client().post(link, {"x": "1"}).status_code == 422

    pending = PendingMailbox.objects.get()
    assert pending.proven_at is pending.agreed_at is None


@pytest.mark.parametrize("kind", ["confirm", "agree", "refuse"])
def test_link_works_once(kind):
    user = make_customer()
    ask_for_change(user)
    link = mailed(user)[kind]
    Client().post(link)

    assert Client().get(link).status_code == 410
    assert Client().post(link).status_code == 410


def test_one_mailbox_cannot_answer_for_the_other():
    user = make_customer()
    ask_for_change(user)
    links = mailed(user)
    token = links["confirm"].split("/")[2]

    assert Client().post(f"/new-address/{token}/agree/").status_code == 410
    assert Client().post(f"/new-address/{token}/refuse/").status_code == 410


@pytest.mark.parametrize("address", ["/new-address/nothing/agree/", "/new-address/nothing/refuse/", "/confirm/nothing/"])
def test_link_that_never_was_leads_nowhere(address):
    assert Client().get(address).status_code == 410


def test_confirm_mailbox_change_refuses_a_mailbox_that_was_confirmed_meanwhile():
    user = make_customer()
    ask_for_change(user)
    make_customer(email=NEW)

    with pytest.raises(MailboxTaken):
        prove(user)

    assert email_of(user) == EMAIL


def test_agree_to_mailbox_change_refuses_a_mailbox_that_was_confirmed_meanwhile():
    user = asked_and_proven()
    make_customer(email=NEW)

    with pytest.raises(MailboxTaken):
        agree(user)

    assert email_of(user) == EMAIL


def test_confirm_mailbox_change_refuses_an_expired_token():
    user = make_customer()
    ask_for_change(user)
    token = issue_token(user, Kind.CHANGE)

    with time_machine.travel(timezone.now() + timedelta(days=2)), pytest.raises(TokenInvalid), unit_of_work():
        confirm_mailbox_change(by=ANONYMOUS, token=token)


@pytest.mark.parametrize("kind", ["confirm", "agree", "refuse"])
def test_link_of_an_earlier_mailbox_answers_for_no_other(kind):
    user = make_customer()
    ask_for_change(user)
    first = mailed(user)
    ask_for_change(user, email="never.proven@example.org")

    page = Client().post(first[kind])

    assert page.status_code == 410
    assert PendingMailbox.objects.get().proven_at is None
    assert account_with_mailbox("never.proven@example.org") is None


def test_change_ends_links_mailed_to_the_old_mailbox():
    user = asked_and_proven()
    reset = issue_token(user, Kind.RESET)

    assert agree(user) is True

    assert Client().get(f"/password-reset/{reset}/").status_code == 410


def test_link_whose_address_is_gone_leads_nowhere():
    user = make_customer()
    ask_for_change(user)
    token = issue_token(user, Kind.CHANGE)
    PendingMailbox.objects.all().delete()

    assert Client().post(f"/confirm/{token}/").status_code == 410


@pytest.mark.parametrize("act", [prove, agree, refuse])
def test_answers_change_nothing_if_the_event_cannot_be_written(act):
    user = make_customer()
    ask_for_change(user)

    with pytest.raises(NotRecordable):
        act(user, by=UNWRITABLE)

    pending = PendingMailbox.objects.get()
    assert pending.proven_at is pending.agreed_at is None
    assert email_of(user) == EMAIL


# Calling it off


def test_refuse_mailbox_change_calls_it_off_and_signs_everybody_out():
    user = make_customer()
    client = client_of(user)
    ask_for_change(user)
    links = mailed(user)

    page = Client().post(links["refuse"])

    assert "/password-reset/" in page.content.decode()
    assert client.get("/account/").status_code == 302
    assert not PendingMailbox.objects.exists()
    assert Client().post(links["confirm"]).status_code == 410
    assert entries(Event.MAILBOX_CHANGE_CANCELED, subject_id=user.subject_id, outcome="refused") == 1


def test_cancel_mailbox_change_is_ones_own_and_writes_one_event():
    user = make_customer()
    ask_for_change(user)
    links = mailed(user)

    cancel(user)
    cancel(user)

    assert not PendingMailbox.objects.exists()
    assert Client().post(links["agree"]).status_code == 410
    assert entries(Event.MAILBOX_CHANGE_CANCELED, subject_id=user.subject_id, outcome="canceled") == 1


@pytest.mark.parametrize("act", [ask_for_change, cancel, complete])
def test_change_of_somebody_else_is_refused(act):
    user = make_customer()
    stranger = Actor(Role.CUSTOMER, id=make_customer(email="other@example.org").subject_id)

    for by in (stranger, make_staff(Role.ADMINISTRATOR).actor) if act is ask_for_change else (stranger,):
        with pytest.raises(NotAllowed):
            act(user, by=by)


@pytest.mark.parametrize("act", [cancel, complete])
def test_own_steps_change_nothing_if_the_event_cannot_be_written(act):
    user = asked_and_proven()
    unwritable = Actor(Role.CUSTOMER, id=user.subject_id, name="no token at all")

    with time_machine.travel(timezone.now() + AFTER_FOURTEEN_DAYS), pytest.raises(NotRecordable):
        act(user, by=unwritable)

    assert PendingMailbox.objects.exists()
    assert email_of(user) == EMAIL


def test_request_mailbox_change_changes_nothing_if_the_event_cannot_be_written():
    user = make_customer()

    with pytest.raises(NotRecordable):
        ask_for_change(user, by=Actor(Role.CUSTOMER, id=user.subject_id, name="no token at all"))

    assert not PendingMailbox.objects.exists()


# The old mailbox does not answer


@pytest.mark.promise("PROTECT-3")
def test_complete_mailbox_change_waits_fourteen_days_and_for_the_new_mailbox():
    user = make_customer()
    ask_for_change(user)
    with pytest.raises(ChangeMustWait):
        complete(user)
    prove(user)
    asked_at = PendingMailbox.objects.get().requested_at
    with time_machine.travel(asked_at + timedelta(days=13, hours=23)), pytest.raises(ChangeMustWait):
        complete(user)

    with time_machine.travel(asked_at + AFTER_FOURTEEN_DAYS):
        complete(user)

    assert email_of(user) == NEW
    assert entries(Event.DETAILS_CORRECTED, subject_id=user.subject_id) == 1


def test_complete_mailbox_change_needs_a_proven_mailbox_however_long_it_waits():
    user = make_customer()
    ask_for_change(user)
    agree(user)

    with time_machine.travel(timezone.now() + AFTER_FOURTEEN_DAYS), pytest.raises(ChangeMustWait):
        complete(user)


def test_complete_mailbox_change_is_too_late_after_thirty_days():
    user = asked_and_proven()

    with time_machine.travel(timezone.now() + timedelta(days=31)), pytest.raises(ChangeMustWait):
        complete(user)


def test_warn_old_mailboxes_writes_twice_more_with_links_that_work():
    asked_and_proven()
    asked_at = PendingMailbox.objects.get().requested_at
    deliver_all()
    sent = {}

    for day in (6, 7, 8, 12, 13, 13):
        with time_machine.travel(asked_at + timedelta(days=day, minutes=1)):
            warn_old_mailboxes()
            sent[day] = sent.get(day, []) + deliver_all()

    assert {day: len(mails) for day, mails in sent.items()} == {6: 0, 7: 1, 8: 0, 12: 0, 13: 1}
    [message] = sent[13]
    assert message.to == [EMAIL]
    assert message.body.startswith("Once more")
    with time_machine.travel(asked_at + timedelta(days=15)):
        assert Client().post(links_in(message)["refuse"]).status_code == 200
    assert not PendingMailbox.objects.exists()


def test_warn_old_mailboxes_leaves_those_alone_that_need_none():
    user = asked_and_proven()
    PendingMailbox.objects.update(agreed_at=timezone.now())
    ask_for_change(make_customer("other@example.org"), email="unproven@example.org")
    deliver_all()

    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert warn_old_mailboxes() == 0

    assert deliver_all() == []
    assert user.is_active


def test_forget_unproven_changes_takes_those_whose_new_mailbox_did_not_answer_within_a_day():
    kept = asked_and_proven()
    ask_for_change(make_customer("other@example.org"), email="unproven@example.org")

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert forget_unproven_changes() == 1

    assert PendingMailbox.objects.get().user == kept
    assert entries(Event.MAILBOX_CHANGE_CANCELED, outcome="not_proven") == 1


def test_old_mailbox_cannot_agree_to_what_was_not_proven_in_its_day():
    user = make_customer()
    ask_for_change(user)
    links = mailed(user)

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert Client().post(links["agree"]).status_code == 410


# The page


def test_details_page_asks_for_a_new_mailbox_and_shows_how_far_it_is():
    user = make_customer()
    client = client_of(user)

    page = client.post(DETAILS, {"change": "email", "email": NEW, "password": PASSWORD}, follow=True).content.decode()

    assert PendingMailbox.objects.filter(user=user).count() == 1
    assert NEW in page
    assert "has not answered" in page
    assert "Call the change off" in page
    assert "Use the new address" not in page


def test_details_page_calls_the_change_off():
    user = make_customer()
    client = client_of(user)
    ask_for_change(user)

    assert client.post(DETAILS, {"change": "cancel", "x": "1"}).status_code == 422
    assert PendingMailbox.objects.exists()
    assert client.post(DETAILS, {"change": "cancel"}).status_code == 302

    assert not PendingMailbox.objects.exists()


@pytest.mark.promise("PROTECT-3")
def test_details_page_makes_the_change_alone_with_the_password_after_fourteen_days():
    user = asked_and_proven()
    early = client_of(user)
    early.post(DETAILS, {"change": "complete", "password": PASSWORD})
    assert email_of(user) == EMAIL

    with time_machine.travel(timezone.now() + AFTER_FOURTEEN_DAYS):
        client = client_of(user)
        page = client.get(DETAILS).content.decode()
        wrong = client.post(DETAILS, {"change": "complete", "password": "wrong"})
        assert email_of(user) == EMAIL
        done = client.post(DETAILS, {"change": "complete", "password": PASSWORD})

    assert "Use the new address" in page
    assert (wrong.status_code, done.status_code) == (422, 302)
    assert email_of(user) == NEW


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_details_page_makes_the_change_alone_with_the_second_factor_of_whoever_has_one(kind):
    user = make_protected()
    codes = codes_of(user)
    ask_for_change(user)
    prove(user)

    with time_machine.travel(timezone.now() + AFTER_FOURTEEN_DAYS):
        client = protected_client(user)
        without = client.post(DETAILS, {"change": "complete", "password": PASSWORD})
        assert email_of(user) == EMAIL
        code = fresh_code(user) if kind == "app" else codes[0]
        done = client.post(DETAILS, {"change": "complete", "password": PASSWORD, "code": code})

    assert (without.status_code, done.status_code) == (422, 302)
    assert email_of(user) == NEW


def test_details_page_mails_one_new_mailbox_five_times_an_hour_and_nobody_elses_account_counts():
    client = client_of(make_customer())
    form = {"change": "email", "email": NEW, "password": PASSWORD}

    statuses = [client.post(DETAILS, form).status_code for _ in range(6)]
    other = client_of(make_customer("other@example.org"), "other@example.org").post(DETAILS, form)

    assert statuses == [302] * 5 + [429]
    assert other.status_code == 302


def test_new_mailbox_signs_in_and_the_old_one_does_not():
    user = asked_and_proven()
    agree(user)

    assert client_of(user, NEW).get("/account/").status_code == 200
    assert client_of(user, EMAIL).get("/account/").status_code == 302
    assert AccountSession.objects.filter(user=user).count() == 1
