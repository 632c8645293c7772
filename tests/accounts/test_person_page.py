"""The page of a person for those who may break the glass: found by an address or an id, masks first, opened in two steps."""

import pytest

from audit.events import Event
from audit.models import Entry
from audit.record import record
from marketplace.accounts.models import AccountDetails, SecondFactor
from privacy.access.admin import _lines
from privacy.access.gate import unit_of_work
from privacy.access.models import Opening
from privacy.access.oversight.drawing import draw_emergencies
from privacy.access.oversight.models import Review
from privacy.alerts.models import Alert, AlertKind
from privacy.policy.matrix import BREAKS_GLASS
from privacy.policy.roles import STAFF_ROLES, Role
from privacy.vault.models import Subject
from tests.accounts.people import EMAIL, NAME, TEST, make_protected, make_staff, staff_client
from tests.privacy.access.oversight.looks import look

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-3")]

FIND = "/admin/privacy/subject/"
WHY = "somebody is in the account right now"


@pytest.fixture
def person(db):
    return make_protected().subject


@pytest.fixture
def security(db):
    return staff_client(make_staff(Role.SECURITY))


def page_of(subject):
    return f"{FIND}{subject.pk}/change/"


def find(client, sought):
    return client.post(FIND, {"sought": str(sought), "_find": "1"})


def ask(client, subject, **more):
    sent = {"_open": "1", "purpose": "security", "case": "none", "reason": WHY, **more}
    return client.post(page_of(subject), sent).content.decode()


# Finding


def test_an_exact_address_leads_to_the_person_and_is_recorded(security, person):
    assert find(security, EMAIL).url == page_of(person)

    assert Entry.objects.filter(event=Event.ACCOUNT_SEARCHED, subject_id=person.pk, outcome="found").count() == 1


@pytest.mark.parametrize("sought", ["nobody@example.org", "0198a000-0000-7000-8000-000000000000", "no address"])
def test_what_is_found_nowhere_stays_in_the_form(security, person, sought):
    response = find(security, sought)

    assert response.status_code == 422
    assert sought in response.content.decode()


def test_the_ids_of_what_points_at_a_person_lead_to_them(security, person):
    opening = look(make_staff(Role.SUPPORT, "agent@example.org").actor, person)
    alert = Alert.objects.create(kind=AlertKind.VALUE_UNREADABLE, subject_id=person.pk)
    with unit_of_work():
        entry = record(Event.DATA_OPENED, by=TEST, subject=person)

    for id in (person.pk, opening.pk, alert.pk, entry):
        assert find(security, id).url == page_of(person)
    pages = (f"opening/{opening.pk}", f"alert/{alert.pk}")
    for page in (*(f"/admin/privacy/{page}/change/" for page in pages), f"/admin/audit/entry/{entry}/change/"):
        assert page_of(person) in security.get(page).content.decode()


def test_an_id_of_nobody_leads_back_to_the_search(security):
    assert security.get(page_of(Subject())).url == FIND


@pytest.mark.parametrize("role", sorted(STAFF_ROLES - BREAKS_GLASS))
def test_other_roles_neither_find_nor_see_anybody_here(person, role):
    client = staff_client(make_staff(role))

    assert client.get(FIND).status_code == find(client, EMAIL).status_code == client.get(page_of(person)).status_code == 403
    assert not Entry.objects.filter(event=Event.ACCOUNT_SEARCHED).exists()


# Opening


def test_the_page_shows_masks(security, person):
    shown = security.get(page_of(person)).content.decode()

    assert "none fits: it is an emergency" in shown
    assert NAME not in shown
    assert not Entry.objects.filter(event=Event.DATA_OPENED, subject_id=person.pk, actor_role="security").exists()


def test_the_first_step_says_what_follows_and_opens_nothing(security, person):
    shown = ask(security, person)

    assert "Open without a case?" in shown
    assert NAME not in shown
    assert not Opening.objects.filter(subject_id=person.pk).exists()


def test_the_second_step_opens_alerts_and_waits_for_review(security, person):
    shown = ask(security, person, is_confirmed="on")

    assert NAME in shown
    opening = Opening.objects.get(subject_id=person.pk)
    assert opening.is_break_glass
    assert Alert.objects.filter(kind=AlertKind.BREAK_GLASS, subject_id=person.pk).count() == 1
    with unit_of_work():
        assert draw_emergencies(by=TEST) == 1


def test_a_review_of_a_look_is_no_case_for_anything_but_its_reason(security, person):
    opening = look(make_staff(Role.SUPPORT, "agent@example.org").actor, person, is_break_glass=True)
    with unit_of_work():
        draw_emergencies(by=TEST)
    review = Review.objects.get(opening_id=opening.pk)

    shown = security.get(page_of(person)).content.decode()
    tried = [ask(security, person, case=f"{label}:{id}") for label, id in (("privacy.review", review.pk), ("privacy.opening", opening.pk))]

    assert "privacy.review" not in shown
    assert not any(NAME in page for page in tried)
    assert not Opening.objects.filter(subject_id=person.pk, role="security").exists()


def test_a_short_reason_is_asked_for_again_and_kept(security, person):
    shown = ask(security, person, reason="too short", is_confirmed="on")

    assert "too short" in shown
    assert NAME not in shown


@pytest.mark.promise("PROTECT-1")
def test_credentials_are_neither_shown_nor_opened(security, person):
    secret = SecondFactor.objects.get(subject=person)

    shown = security.get(page_of(person)).content.decode() + ask(security, person, is_confirmed="on")

    assert str(secret._meta.get_field("secret").verbose_name) not in shown.lower()
    assert str(AccountDetails._meta.get_field("name").verbose_name) in shown.lower()
    assert _lines(secret, None, Role.SECURITY) == []


def test_the_officer_sees_what_their_own_row_of_the_matrix_opens(person):
    client = staff_client(make_staff(Role.PRIVACY_OFFICER))

    refused = ask(client, person, purpose="rights", is_confirmed="on")

    assert "has not given, or has withdrawn" in refused
    assert NAME not in refused


def test_roles_without_it_read_why_not(person):
    client = staff_client(make_staff(Role.SUPPORT))
    user = AccountDetails.objects.get(subject=person).user

    shown = client.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()

    assert "Your role opens nobody outside a case." in shown
    assert "none fits" not in shown
