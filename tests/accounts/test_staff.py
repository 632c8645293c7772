import io
import re
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import appoint_staff, change_role, search_account
from marketplace.accounts.errors import MailboxTaken, NotAllowed
from marketplace.accounts.models import AccountSession, User
from privacy.access.gate import unit_of_work
from privacy.policy.dashboard import Card, Section, State, cards_for
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.models import Subject
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    TEST,
    UNWRITABLE,
    client_of,
    entries,
    make_customer,
    make_staff,
    staff_client,
)

pytestmark = pytest.mark.django_db

BOSS = "boss@example.org"


def appoint(by=TEST, role=Role.SUPPORT, email="staff@example.org"):
    with unit_of_work():
        return appoint_staff(by=by, email=email, name=NAME, role=role, password=PASSWORD)


def set_role(by, user, role):
    with unit_of_work():
        change_role(by=by, user=user, role=role)


def test_appoint_staff_opens_a_confirmed_account_of_a_member_of_staff():
    user = appoint()

    assert user.is_staff
    assert user.confirmed_at is not None
    assert user.subject.kind == Subject.Kind.STAFF
    assert entries(Event.STAFF_APPOINTED, subject_id=user.subject_id) == 1


def test_appoint_staff_refuses_an_address_that_has_an_account():
    make_customer(email="staff@example.org")

    with pytest.raises(MailboxTaken):
        appoint()

    assert User.objects.count() == 1


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.JOB}))
def test_appoint_staff_is_for_administrators(role):
    with pytest.raises(NotAllowed):
        appoint(by=Actor(role))


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.SELLER, Role.JOB])
def test_appoint_staff_appoints_to_staff_roles_only(role):
    with pytest.raises(NotAllowed):
        appoint(role=role)


def test_appoint_staff_changes_nothing_if_the_event_cannot_be_written():
    with pytest.raises(NotRecordable):
        appoint(by=UNWRITABLE)

    assert not User.objects.exists()


def test_change_role_holds_at_once_and_ends_sessions():
    user = make_staff(Role.SUPPORT)
    staff_client(user)
    boss = make_staff(Role.ADMINISTRATOR, BOSS)

    set_role(boss.actor, user, Role.FINANCE)

    user.refresh_from_db()
    assert user.role == Role.FINANCE
    assert not AccountSession.objects.filter(user=user).exists()
    assert entries(Event.STAFF_APPOINTED, subject_id=user.subject_id, actor_id=boss.subject_id) == 1


def test_change_role_refuses_customers_and_oneself():
    boss = make_staff(Role.ADMINISTRATOR, BOSS)

    with pytest.raises(NotAllowed):
        set_role(boss.actor, make_customer(), Role.SUPPORT)
    with pytest.raises(NotAllowed):
        set_role(boss.actor, boss, Role.SUPPORT)


def test_change_role_changes_nothing_if_the_event_cannot_be_written():
    user, boss = make_staff(), make_staff(Role.ADMINISTRATOR, BOSS)
    unwritable = Actor(Role.ADMINISTRATOR, id=boss.subject_id, name="no token at all")

    with pytest.raises(NotRecordable):
        set_role(unwritable, user, Role.FINANCE)

    user.refresh_from_db()
    assert user.role == Role.SUPPORT


# The staff site


@pytest.mark.promise("PROTECT-3")
def test_staff_site_is_closed_to_customers():
    client = client_of(make_customer())

    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/accounts/user/", follow=True).status_code == 403


def test_staff_site_signs_in_on_our_own_page():
    assert Client().get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert Client().get("/admin/login/?next=/admin/").headers["Location"] == "/sign-in/?next=/admin/"
    assert Client().post("/admin/login/", {"username": "x", "password": "y"}).status_code == 302


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_staff_site_opens_to_every_staff_role(role):
    page = staff_client(make_staff(role)).get("/admin/")

    assert page.status_code == 200
    assert "Needs you now" in page.content.decode()


def test_account_list_shows_masks_in_a_constant_number_of_queries():
    client = staff_client(make_staff(Role.ADMINISTRATOR))
    counts = []
    for number in range(2):
        for other in range(3):
            make_customer(email=f"marker{number}{other}@example.org", name="Marker Namely")
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/admin/accounts/user/").content.decode()
        counts.append(len(queries))

    assert "marker0" not in page
    assert "Marker Namely" not in page
    assert "•••••@•••••" in page
    assert counts[0] == counts[1]


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.ADMINISTRATOR, 200), (Role.PRIVACY_OFFICER, 200), (Role.SUPPORT, 200), (Role.FINANCE, 403), (Role.FULFILLMENT, 403)],
)
def test_account_list_by_role(role, status):
    client = staff_client(make_staff(role))

    assert client.get("/admin/accounts/user/").status_code == status
    assert client.post("/admin/accounts/user/", {"_find": "1", "email": "staff@example.org"}).status_code in (302, 403)


def test_account_is_found_by_its_exact_address_and_the_url_names_nobody():
    user = make_customer()
    client = staff_client(make_staff())

    found = client.post("/admin/accounts/user/", {"_find": "1", "email": EMAIL.upper()})
    part = client.post("/admin/accounts/user/", {"_find": "1", "email": EMAIL[:8]})

    assert found.headers["Location"] == f"/admin/accounts/user/{user.pk}/change/"
    assert part.headers["Location"] == "/admin/accounts/user/"


def find(client, email=EMAIL):
    return client.post("/admin/accounts/user/", {"_find": "1", "email": email}, follow=True).content.decode()


@pytest.mark.promise("USE-3")
def test_search_account_writes_one_event_whatever_it_finds():
    user, agent = make_customer(), make_staff()
    client = staff_client(agent)

    find(client)
    find(client, "nobody@example.org")

    by = {"actor_id": agent.subject_id}
    assert entries(Event.ACCOUNT_SEARCHED) == 2
    assert entries(Event.ACCOUNT_SEARCHED, subject_id=user.subject_id, object_id=user.pk, outcome="found", **by) == 1
    assert entries(Event.ACCOUNT_SEARCHED, subject_id=None, outcome="not_found", **by) == 1


def test_search_account_finds_nothing_if_the_event_cannot_be_written():
    make_customer()
    unwritable = Actor(Role.SUPPORT, id=make_staff().subject_id, name="no token at all")

    with pytest.raises(NotRecordable), unit_of_work():
        search_account(by=unwritable, email=EMAIL)


SEARCHERS = {Role.ADMINISTRATOR, Role.PRIVACY_OFFICER, Role.SUPPORT, Role.FRAUD, Role.SECURITY}


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(set(Role) - SEARCHERS))
def test_search_account_is_for_those_who_help(role):
    with pytest.raises(NotAllowed), unit_of_work():
        search_account(by=Actor(role, id=make_staff().subject_id), email=EMAIL)


@pytest.mark.promise("PROTECT-3")
def test_search_account_tries_no_lists_of_addresses():
    make_customer()
    client, other = staff_client(make_staff()), staff_client(make_staff(Role.SUPPORT, BOSS), BOSS)
    for number in range(30):
        find(client, f"{number}@example.org")

    refused = find(client)

    assert "searched for many addresses within an hour" in refused
    assert entries(Event.ACCOUNT_SEARCHED, outcome="found") == 0
    find(other)
    assert entries(Event.ACCOUNT_SEARCHED, outcome="found") == 1


def test_account_page_masks_until_opened():
    user = make_customer()
    client = staff_client(make_staff(Role.PRIVACY_OFFICER))

    page = client.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()

    assert EMAIL not in page
    assert NAME not in page


def test_account_page_ends_sessions_by_a_button():
    user = make_customer()
    client_of(user)
    client = staff_client(make_staff())

    client.post(f"/admin/accounts/user/{user.pk}/change/", {"_button": "end_sessions"})

    assert not AccountSession.objects.filter(user=user).exists()


def test_account_page_of_nobody_is_not_found():
    client = staff_client(make_staff())

    page = client.get("/admin/accounts/user/00000000-0000-7000-8000-000000000000/change/")

    assert page.status_code in (302, 404)


def test_dashboard_links_only_to_pages_that_the_role_may_see():
    officer = staff_client(make_staff(Role.PRIVACY_OFFICER, "officer@example.org"), "officer@example.org")
    support = staff_client(make_staff(Role.SUPPORT))

    assert "/admin/privacy/request/" in officer.get("/admin/").content.decode()
    assert "/admin/privacy/request/" not in support.get("/admin/").content.decode()


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_dashboard_leads_to_no_forbidden_page(role):
    client = staff_client(make_staff(role))

    addresses = set(re.findall(r'href="(/admin/[^"#?]*)"', client.get("/admin/").content.decode()))

    assert {client.get(address).status_code for address in addresses} <= {200, 302}


def test_cards_put_what_is_late_first(monkeypatch):
    from privacy.policy import dashboard

    cards = [Card(Section.NEEDS_YOU, "calm", 0), Card(Section.NEEDS_YOU, "late", 3, state=State.LATE)]
    monkeypatch.setattr(dashboard, "_makers", [lambda actor, card=card: card for card in cards] + [lambda actor: None])

    sections = dict(cards_for(Actor(Role.SUPPORT)))

    assert [card.title for card in sections[Section.NEEDS_YOU]] == ["late", "calm"]


# The command


def run_command(monkeypatch, password=PASSWORD, email=BOSS):
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    call_command("create_administrator", email=email, name=NAME, password_stdin=True, stdout=output)
    return output.getvalue()


def test_create_administrator_prints_what_the_authenticator_needs(monkeypatch):
    output = run_command(monkeypatch)

    assert "otpauth://totp/" in output
    assert len(re.findall(r"^[0-9]{4}(?:-[0-9]{4}){3}$", output, re.MULTILINE)) == 10
    assert BOSS not in output
    assert User.objects.get().role == Role.ADMINISTRATOR
    assert client_of(None, BOSS).get("/second-factor/code.svg").status_code == 404


def test_create_administrator_refuses_a_known_address(monkeypatch):
    make_customer(email=BOSS)

    with pytest.raises(CommandError, match="has an account"):
        run_command(monkeypatch)


@pytest.mark.parametrize(("password", "email"), [("short", BOSS), (PASSWORD, "no address")])
def test_create_administrator_refuses_weak_passwords_and_wrong_addresses(monkeypatch, password, email):
    with pytest.raises(CommandError):
        run_command(monkeypatch, password, email)

    assert not User.objects.exists()
