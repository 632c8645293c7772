"""From the invitation to the last day of a member of staff."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from marketplace.accounts.actions import (
    accept_invitation,
    change_role,
    close_unconfirmed_accounts,
    dismiss_staff,
    invite_staff,
)
from marketplace.accounts.codes import current_code
from marketplace.accounts.dashboard import staff_accounts
from marketplace.accounts.errors import LastAdministrator, MailboxTaken, NotAllowed, TokenInvalid
from marketplace.accounts.models import (
    AccountDetails,
    AccountSession,
    AccountToken,
    MailboxIndex,
    RecoveryCodes,
    SecondFactor,
    User,
)
from marketplace.accounts.queries import invited_staff, staff_short_of_recovery_codes, staff_without_second_factor
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.dashboard import State
from privacy.policy.roles import ANONYMOUS, STAFF_ROLES, Actor, Role
from privacy.retention.walker import expired
from privacy.vault.models import Subject
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    TEST,
    UNWRITABLE,
    client_of,
    codes_of,
    deliver_all,
    entries,
    link_in,
    make_customer,
    make_protected,
    make_staff,
    secret_of,
    staff_client,
)

pytestmark = pytest.mark.django_db

BOSS = "boss@example.org"
JOINER = "joiner@example.org"
INVITE = "/admin/accounts/user/invite/"
FORM = {"email": JOINER, "role": "support", "locale": "en"}
NO_ADMINISTRATORS = sorted(STAFF_ROLES - {Role.ADMINISTRATOR})
STEPS = ("role", "reset", "leave")


def make_boss(email=BOSS):
    return make_staff(Role.ADMINISTRATOR, email)


def boss_client():
    return staff_client(make_boss(), BOSS)


def invite(by=None, role=Role.SUPPORT, email=JOINER, invitation=None):
    with unit_of_work():
        return invite_staff(by=by or TEST, invitation=invitation or uuid4(), email=email, role=role)


def accept(user, by=ANONYMOUS):
    token = issue_token(user, AccountToken.Kind.INVITE)
    with unit_of_work():
        return accept_invitation(by=by, token=token, name=NAME, password=PASSWORD)


def end(user, by=None):
    with unit_of_work():
        dismiss_staff(by=by or TEST, user=user)


def set_role(by, user, role):
    with unit_of_work():
        change_role(by=by, user=user, role=role)


def details_of(user):
    details = AccountDetails.objects.get(user=user)
    with unit_of_work(), open_access(by=TEST, purpose=Purpose.ACCOUNT, subject=user.subject_id) as grant:
        return grant.open(details.email), grant.open(details.name)


def address_of(user, step="change"):
    return f"/admin/accounts/user/{user.pk}/{step}/"


# Inviting


def test_invite_staff_mails_a_link_and_opens_nothing():
    boss = make_boss()
    deliver_all()

    user = invite(boss.actor, Role.FINANCE)

    [message] = deliver_all()
    assert message.to == [JOINER]
    assert "/invitation/" in message.body
    assert JOINER not in message.body + message.subject
    assert user.is_invited
    assert user.subject.kind == Subject.Kind.STAFF
    assert not user.has_usable_password()
    assert not MailboxIndex.objects.filter(user=user).exists()
    assert entries(Event.STAFF_INVITED, subject_id=user.subject_id, actor_id=boss.subject_id, outcome="finance") == 1


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.JOB}))
def test_invite_staff_is_for_administrators(role):
    with pytest.raises(NotAllowed):
        invite(Actor(role, id=make_customer().subject_id))


def test_invite_staff_is_not_for_somebody_who_is_no_administrator_any_more():
    boss, other = make_boss(), make_boss("other@example.org")
    set_role(other.actor, boss, Role.SUPPORT)

    with pytest.raises(NotAllowed):
        invite(Actor(Role.ADMINISTRATOR, id=boss.subject_id))


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.SELLER, Role.JOB])
def test_invite_staff_invites_to_staff_roles_only(role):
    with pytest.raises(NotAllowed):
        invite(role=role)


def test_invite_staff_with_the_same_invitation_invites_once():
    invitation = uuid4()

    first, second = (invite(invitation=invitation) for _ in range(2))

    assert first == second
    assert len(deliver_all()) == 1
    assert Subject.objects.filter(kind=Subject.Kind.STAFF).count() == 1


def test_invite_staff_takes_no_account_over_by_its_id():
    with pytest.raises(NotAllowed):
        invite(invitation=make_customer().pk)


def test_invite_staff_changes_nothing_if_the_event_cannot_be_written():
    with pytest.raises(NotRecordable):
        invite(Actor(Role.JOB, name="no token at all"))

    assert not User.objects.exists()


@pytest.mark.promise("PROTECT-3")
def test_invite_page_answers_the_same_for_a_known_address():
    make_customer(email=EMAIL)
    client = boss_client()
    deliver_all()
    answers, bodies = [], []
    for email in (EMAIL, JOINER):
        page = client.post(INVITE, FORM | {"email": email, "invitation": str(uuid4())}, follow=True)
        text = page.content.decode()
        answers.append((page.status_code, "The invitation is on its way" in text, email in text))
        [message] = deliver_all()
        bodies.append(message.body)

    assert answers == [(200, True, False)] * 2
    assert "/invitation/" not in bodies[0]
    assert "/invitation/" in bodies[1]


def test_invite_page_survives_a_double_click():
    client = boss_client()
    deliver_all()
    form = FORM | {"invitation": str(uuid4())}

    pages = [client.post(INVITE, form) for _ in range(2)]

    assert {page.headers["Location"] for page in pages} == {f"/admin/accounts/user/{form['invitation']}/change/"}
    assert len(deliver_all()) == 1


@pytest.mark.parametrize(
    "wrong", [{"email": "x"}, {"role": "customer"}, {"role": "job"}, {"locale": "xx"}, {"invitation": "x"}, {"y": "1"}]
)
def test_invite_page_refuses_what_is_not_valid(wrong):
    page = boss_client().post(INVITE, FORM | {"invitation": str(uuid4())} | wrong)

    assert page.status_code == 422
    assert not invited_staff().exists()


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", NO_ADMINISTRATORS)
def test_invite_page_is_for_administrators(role):
    client = staff_client(make_staff(role))

    assert client.get(INVITE).status_code == 403
    assert client.post(INVITE, FORM | {"invitation": str(uuid4())}).status_code == 403
    assert not invited_staff().exists()


# Accepting


def test_invited_person_sets_name_password_second_factor_and_gets_recovery_codes():
    boss = boss_client()
    deliver_all()
    boss.post(INVITE, FORM | {"invitation": str(uuid4())})
    [message] = deliver_all()
    user, client = invited_staff().get(), Client()

    assert client.get(link_in(message)).status_code == 200
    accepted = client.post(link_in(message), {"name": NAME, "password": PASSWORD})
    assert accepted.headers["Location"] == "/second-factor/"
    assert client.get("/admin/").headers["Location"] == "/second-factor/"
    client.get("/second-factor/")
    done = client.post("/second-factor/", {"code": current_code(secret_of(user))})

    assert done.content.decode().count("<li><bdi><code>") == 10
    assert client.get("/admin/").status_code == 200
    assert details_of(user) == (JOINER, NAME)
    assert entries(Event.STAFF_JOINED, subject_id=user.subject_id, outcome="support") == 1
    assert staff_client(User.objects.get(pk=user.pk), JOINER).get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"name": NAME},
        {"password": PASSWORD},
        {"name": NAME, "password": "short"},
        {"name": NAME, "password": PASSWORD, "role": "administrator"},
    ],
)
def test_invitation_page_refuses_what_is_not_valid(form):
    user = invite()

    page = Client().post(f"/invitation/{issue_token(user, AccountToken.Kind.INVITE)}/", form)

    user.refresh_from_db()
    assert page.status_code == 422
    assert user.is_invited


def test_accept_invitation_works_once():
    user = invite()
    token = issue_token(user, AccountToken.Kind.INVITE)
    with unit_of_work():
        accept_invitation(by=ANONYMOUS, token=token, name=NAME, password=PASSWORD)

    with pytest.raises(TokenInvalid), unit_of_work():
        accept_invitation(by=ANONYMOUS, token=token, name=NAME, password="another one entirely")
    assert Client().get(f"/invitation/{token}/").status_code == 410


def test_accept_invitation_refuses_a_mailbox_that_was_confirmed_meanwhile():
    user = invite()
    make_customer(JOINER)

    with pytest.raises(MailboxTaken):
        accept(user)

    assert User.objects.get(pk=user.pk).is_invited


def test_accept_invitation_changes_nothing_if_the_event_cannot_be_written():
    user = invite()

    with pytest.raises(NotRecordable):
        accept(user, by=UNWRITABLE)

    assert User.objects.get(pk=user.pk).is_invited
    assert not MailboxIndex.objects.exists()


def test_invitation_runs_out_after_three_days_and_leaves_a_closed_account():
    user = invite()
    token = issue_token(user, AccountToken.Kind.INVITE)

    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert Client().post(f"/invitation/{token}/", {"name": NAME, "password": PASSWORD}).status_code == 410
        assert close_unconfirmed_accounts() == 1
        assert expired(AccountDetails, timezone.now() + timedelta(seconds=1)).filter(user=user).exists()


def test_invitation_that_was_withdrawn_leads_nowhere():
    user = invite()
    token = issue_token(user, AccountToken.Kind.INVITE)

    end(user)

    assert Client().get(f"/invitation/{token}/").status_code == 410
    assert not invited_staff().exists()


# Roles


def test_change_role_refuses_the_last_administrator_oneself_and_customers():
    boss = make_boss()

    with pytest.raises(LastAdministrator):
        set_role(TEST, boss, Role.SUPPORT)
    with pytest.raises(NotAllowed):
        set_role(boss.actor, boss, Role.SUPPORT)
    with pytest.raises(NotAllowed):
        set_role(boss.actor, make_customer(), Role.SUPPORT)
    boss.refresh_from_db()
    assert boss.role == Role.ADMINISTRATOR


@pytest.mark.parametrize("state", ["invited", "closed"])
def test_change_role_counts_no_administrator_who_cannot_act(state):
    boss = make_boss()
    if state == "invited":
        invite(role=Role.ADMINISTRATOR)
    else:
        end(make_boss("left@example.org"))

    with pytest.raises(LastAdministrator):
        set_role(TEST, boss, Role.SUPPORT)


def test_role_page_shows_its_plan_asks_once_and_ends_sessions():
    client = boss_client()
    user = make_staff(Role.FULFILLMENT)
    theirs = staff_client(user)

    pressed = client.post(address_of(user), {"_button": "role"})
    assert pressed.headers["Location"] == address_of(user, "role")
    asked = client.get(address_of(user, "role"))
    assert "signed out on every browser" in asked.content.decode()
    user.refresh_from_db()
    assert user.role == Role.FULFILLMENT
    done = client.post(address_of(user, "role"), {"role": "finance"})

    user.refresh_from_db()
    assert done.headers["Location"] == address_of(user)
    assert user.role == Role.FINANCE
    assert theirs.get("/admin/").status_code == 302
    assert entries(Event.STAFF_APPOINTED, subject_id=user.subject_id, outcome="finance") == 1


@pytest.mark.parametrize("form", [{}, {"role": "customer"}, {"role": "fulfillment"}, {"role": "finance", "x": "1"}])
def test_role_page_refuses_what_is_not_valid(form):
    client = boss_client()
    user = make_staff(Role.FULFILLMENT)

    assert client.post(address_of(user, "role"), form).status_code == 422
    user.refresh_from_db()
    assert user.role == Role.FULFILLMENT


# Leaving


@pytest.mark.promise("PROTECT-3")
def test_dismiss_staff_ends_access_at_once_and_keeps_what_they_did():
    user = make_staff(Role.FINANCE)
    codes_of(user)
    client = staff_client(user)
    issue_token(user, AccountToken.Kind.RESET)
    before = Entry.objects.filter(actor_id=user.subject_id).count()

    end(user)

    user.refresh_from_db()
    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert client_of(user, "staff@example.org").get("/second-factor/").headers["Location"].startswith("/sign-in/")
    for model in (AccountSession, AccountToken, MailboxIndex, RecoveryCodes, SecondFactor):
        assert not model.objects.filter(user=user).exists()
    assert expired(AccountDetails, timezone.now() + timedelta(seconds=1)).filter(user=user).exists()
    assert user.role == Role.FINANCE
    assert Entry.objects.filter(actor_id=user.subject_id, actor_role="finance").count() == before > 0
    assert entries(Event.STAFF_LEFT, subject_id=user.subject_id, outcome="finance") == 1


def test_dismiss_staff_refuses_the_last_administrator_oneself_customers_and_a_second_time():
    boss, user = make_boss(), make_staff()
    end(user, boss.actor)

    with pytest.raises(LastAdministrator):
        end(boss)
    for somebody in (boss, make_customer(), user):
        with pytest.raises(NotAllowed):
            end(somebody, boss.actor)

    assert User.objects.get(pk=boss.pk).is_active


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.JOB}))
def test_dismiss_staff_is_for_administrators(role):
    with pytest.raises(NotAllowed):
        end(make_staff(), Actor(role, id=make_customer().subject_id))


def test_dismiss_staff_changes_nothing_if_the_event_cannot_be_written():
    user, boss = make_staff(), make_boss()

    with pytest.raises(NotRecordable):
        end(user, Actor(Role.ADMINISTRATOR, id=boss.subject_id, name="no token at all"))

    assert User.objects.get(pk=user.pk).is_active
    assert SecondFactor.objects.filter(user=user).exists()


def test_leave_page_shows_its_plan_and_asks_once():
    client, user = boss_client(), make_staff()

    asked = client.get(address_of(user, "leave"))
    assert "There is no way back" in asked.content.decode()
    assert client.post(address_of(user, "leave"), {"x": "1"}).status_code == 422
    assert User.objects.get(pk=user.pk).is_active
    client.post(address_of(user, "leave"))
    again = client.post(address_of(user, "leave"), follow=True)

    assert User.objects.get(pk=user.pk).closed_at is not None
    assert "Nothing was changed" in again.content.decode()
    assert entries(Event.STAFF_LEFT) == 1


# The pages of all steps


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("role", NO_ADMINISTRATORS)
def test_steps_are_for_administrators(role, step):
    client = staff_client(make_staff(role))
    user = make_staff(Role.SUPPORT, "other@example.org")

    assert client.get(address_of(user, step)).status_code == 403
    assert client.post(address_of(user, step), {"role": "finance"}).status_code == 403
    assert client.post(address_of(user), {"_button": step}).status_code == 403


@pytest.mark.parametrize("step", STEPS)
def test_steps_are_not_offered_for_ones_own_account(step):
    boss = make_boss()
    make_boss("other@example.org")
    client = staff_client(boss, BOSS)

    assert f'value="{step}"' not in client.get(address_of(boss)).content.decode()
    page = client.post(address_of(boss, step), {"role": "support"}, follow=True)

    boss.refresh_from_db()
    assert "Nothing was changed" in page.content.decode()
    assert boss.role == Role.ADMINISTRATOR
    assert boss.is_active
    assert SecondFactor.objects.get(user=boss).reset_at is None


@pytest.mark.parametrize("step", STEPS)
def test_steps_with_nobody_are_not_found(step):
    client = boss_client()

    assert client.get(f"/admin/accounts/user/{uuid4()}/{step}/").status_code == 404
    assert client.post(f"/admin/accounts/user/{uuid4()}/{step}/").status_code == 404


@pytest.mark.parametrize("step", ["role", "leave"])
def test_steps_of_staff_are_not_for_customers(step):
    client, user = boss_client(), make_customer()

    page = client.post(address_of(user, step), {"role": "support"}, follow=True)

    user.refresh_from_db()
    assert "Nothing was changed" in page.content.decode()
    assert user.role == Role.CUSTOMER
    assert user.is_active


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("step", STEPS)
def test_pages_of_the_staff_show_an_administrator_no_personal_value(step):
    client, user = boss_client(), make_staff()

    for page in (client.get("/admin/accounts/user/"), client.get(address_of(user)), client.get(address_of(user, step))):
        assert page.status_code == 200
        assert "staff@example.org" not in page.content.decode()
        assert "Staff Member" not in page.content.decode()


def test_reset_page_resets_a_customer_too():
    client, user = boss_client(), make_protected()

    client.post(address_of(user, "reset"))

    assert SecondFactor.objects.get(user=user).reset_at is not None
    assert deliver_all()[-1].to == [EMAIL]


# What the dashboard says


def test_card_counts_who_waits_for_whom():
    boss = make_boss()
    codes_of(boss)
    assert staff_accounts(boss.actor).state == State.GOOD
    invite()
    make_staff(email="without@example.org", enrolled=False)
    make_staff(email="short@example.org")

    card = staff_accounts(boss.actor)

    assert card.state == State.WATCH
    assert [number for _what, number in card.rows] == [1, 1, 1]
    assert [found().count() for found in (invited_staff, staff_without_second_factor, staff_short_of_recovery_codes)] == [1, 1, 1]
    assert staff_accounts(make_staff(Role.SUPPORT).actor) is None


@pytest.mark.parametrize(
    ("needs", "email"), [("answer", None), ("second-step", "without@example.org"), ("recovery-codes", "short@example.org")]
)
def test_list_shows_who_the_dashboard_counts(needs, email):
    boss = make_boss()
    codes_of(boss)
    invited = invite()
    by_email = {None: invited}
    by_email["without@example.org"] = make_staff(email="without@example.org", enrolled=False)
    by_email["short@example.org"] = make_staff(email="short@example.org")

    page = staff_client(boss, BOSS).get(f"/admin/accounts/user/?needs={needs}").content.decode()

    assert [user for user in by_email.values() if str(user.pk) in page] == [by_email[email]]
