"""The staff's front page: what waits, how the site is, what went on; each role sees what it may."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from audit.models import Publication, Verification
from audit.publishing import places
from marketplace.dashboard import MUST_BE_PUBLISHED
from privacy.access.gate import unit_of_work
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.mail.models import OutboundMail
from privacy.policy.actions import change_operator
from privacy.policy.dashboard import Section, State, cards_for
from privacy.policy.matrix import Answer, answer_to
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.policy.tables import matrix_rows
from privacy.publication.actions import start_draft
from privacy.rights.models import Request
from privacy.sharing.models import Agreement, Recipient
from privacy.vault.models import Subject
from tests.accounts.people import make_staff, staff_client

pytestmark = pytest.mark.django_db


def card(role, title):
    found = [card for _section, cards in cards_for(Actor(role)) for card in cards if str(card.title) == title]
    return found[0] if found else None


def titles(role, section):
    return [str(card.title) for card in dict(cards_for(Actor(role)))[section]]


def make_request(days):
    at = timezone.now() + timedelta(days=days)
    return Request.objects.create(subject=Subject.objects.create(), kind=Request.Kind.EXPORT, locale="en", due_at=at)


@pytest.mark.promise("RIGHTS-7")
def test_overdue_and_due_soon_requests_stand_at_the_top():
    make_request(-1)
    make_request(3)

    late, soon = card(Role.PRIVACY_OFFICER, "Requests overdue"), card(Role.PRIVACY_OFFICER, "Requests due within 7 days")

    assert (late.number, late.state) == (1, State.LATE)
    assert (soon.number, soon.state) == (1, State.WATCH)
    assert titles(Role.PRIVACY_OFFICER, Section.NEEDS_YOU)[0] in ("Requests overdue", "Missing details of the operator")


def test_only_who_answers_requests_is_told_that_they_wait():
    make_request(-1)

    told = {role for role in STAFF_ROLES if any("equests" in title for title in titles(role, Section.NEEDS_YOU))}

    assert told == {Role.PRIVACY_OFFICER}


def test_jobs_that_gave_up_are_counted_for_a_week():
    now = timezone.now()
    person = Subject.objects.create()
    for number, days in enumerate((1, 30)):
        OutboundMail.objects.create(
            subject=person, template="x", occasion=str(number), locale="en", state="failed", finished_at=now - timedelta(days=days)
        )

    failed = card(Role.SECURITY, "Jobs that failed, 7 days")

    assert (failed.number, failed.state) == (1, State.LATE)


@pytest.mark.promise("USE-5")
@pytest.mark.parametrize(("days", "number"), [([10], 1), ([10, 400], 0), ([60], 0), ([-1], 0)])
def test_agreements_that_end_soon_are_named_unless_another_follows(days, number):
    today = timezone.now().date()
    recipient = Recipient.objects.create(slug="one", name="One", kind=Recipient.Kind.PROCESSOR, country="DE")
    for day in days:
        Agreement.objects.create(
            recipient=recipient,
            reference=f"A{day}",
            purposes=[],
            categories=[],
            signed_on=today - timedelta(days=99),
            starts_on=today - timedelta(days=99),
            ends_on=today + timedelta(days=day),
        )

    assert card(Role.PRIVACY_OFFICER, "Agreements ending within 30 days").number == number


def test_a_draft_waits_for_those_who_write_it():
    before = card(Role.ADMINISTRATOR, "Draft of the policy").number
    by = Actor(Role.ADMINISTRATOR, Subject.objects.create(kind=Subject.Kind.STAFF).pk)
    with unit_of_work():
        start_draft(by=by)

    assert (before, card(Role.ADMINISTRATOR, "Draft of the policy").number) == (0, 1)
    assert card(Role.SUPPORT, "Draft of the policy") is None


def test_missing_details_of_the_operator_are_named():
    missing = card(Role.ADMINISTRATOR, "Missing details of the operator")
    values = dict.fromkeys(MUST_BE_PUBLISHED, "x") | {name: "a@example.com" for name in MUST_BE_PUBLISHED if name.endswith("email")}
    change_operator(by=Actor.job("test"), based_on=0, values={**values, "country": "DE"})

    assert (missing.number, missing.state) == (len(MUST_BE_PUBLISHED), State.LATE)
    assert card(Role.ADMINISTRATOR, "Missing details of the operator").number == 0


def test_health_names_promises_keys_and_queue():
    assert "of 33 kept" in card(Role.SUPPORT, "Promises").number
    assert card(Role.SECURITY, "Keys").number == "version 1"
    assert card(Role.SECURITY, "Keys").state == State.GOOD
    assert card(Role.FINANCE, "Work in the queue").state == State.LATE, "no worker runs in this test"


@pytest.mark.promise("PROTECT-3")
def test_trends_are_for_those_who_oversee():
    overseers = {"Requests", "Looks by staff", "Permissions", "Passed on", "Messages and complaints", "Erasures"}

    assert set(titles(Role.AUDITOR, Section.TRENDS)) == overseers
    assert set(titles(Role.SUPPORT, Section.TRENDS)) == {"Requests", "Messages and complaints"}
    assert titles(Role.FULFILLMENT, Section.TRENDS) == []


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_the_front_page_of_a_fresh_site_has_every_part_for_every_role(role):
    client = staff_client(make_staff(role, f"{role}@example.org"), f"{role}@example.org")

    page = client.get("/admin/").content.decode()

    for section in Section:
        assert f'id="section-{section}"' in page
    assert 'style="' not in page


def test_the_front_page_asks_a_constant_number_of_questions(django_assert_max_num_queries):
    client = staff_client(make_staff(Role.PRIVACY_OFFICER))
    client.get("/admin/")
    with django_assert_max_num_queries(400) as few:
        client.get("/admin/")
    for days in range(30):
        make_request(days)

    with django_assert_max_num_queries(len(few)):
        client.get("/admin/")


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_every_member_of_staff_sees_what_each_role_may_open(role):
    client = staff_client(make_staff(role, f"{role}@example.org"), f"{role}@example.org")

    page = client.get("/admin/roles/").content.decode()

    assert all(str(each.label) in page for each in (*Role, *Answer))


@pytest.mark.promise("PROTECT-3")
def test_the_table_of_roles_is_the_matrix_that_the_gate_obeys():
    shown = {(role, purpose, row.category): answer for purpose, rows in matrix_rows() for row in rows for role, answer in row.answers}

    assert shown == {
        (role, purpose, category): answer_to(role, purpose, category)
        for role, purpose in product(Role, Purpose)
        for category in PURPOSES[purpose].categories
    }


def test_visitors_do_not_see_the_table_of_roles(client):
    assert client.get("/admin/roles/").status_code == 302


def verified(kind=Verification.Kind.FULL, result=Verification.Result.OK, ago=timedelta(minutes=5)):
    at = timezone.now() - ago
    return Verification.objects.create(
        started_at=at, finished_at=at, kind=kind, held_size=0, entries=0, erased=0, retired=0, checkpoints=0, result=result
    )


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize(
    ("past", "words", "state"),
    [
        ([{}], "Holds. What is new was verified 5\xa0minutes ago", State.GOOD),
        ([{"result": Verification.Result.FAILED}], "It does not hold", State.LATE),
        ([{"result": Verification.Result.FAILED, "ago": timedelta(hours=1)}, {}], "Holds.", State.GOOD),
        ([{"ago": timedelta(hours=4)}], "verified 4\xa0hours ago", State.LATE),
        ([{"ago": timedelta(days=9)}, {"kind": Verification.Kind.SINCE_LAST}], "the whole log 1\xa0week, 2\xa0days ago", State.LATE),
    ],
    ids=["good", "failed", "mended", "late", "whole late"],
)
def test_the_log_says_how_it_is_and_when_it_was_verified(past, words, state, monkeypatch):
    monkeypatch.setattr("audit.queries.INTEGRATED_WITHIN", timedelta(days=1))  # what set up the site waits since the template was made
    for each in past:
        verified(**each)

    shown = card(Role.AUDITOR, "Log")

    assert (shown.state, words in str(shown.text)) == (state, True), shown.text


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize(
    ("known", "words", "state"),
    [
        ({}, "All have the newest checkpoint.", State.GOOD),
        ({"behind_since": timedelta(days=1)}, "1 of them are late.", State.LATE),
        ({"finding": "rolled back"}, "1 of them know another log. Nothing more is signed.", State.LATE),
    ],
    ids=["good", "late", "contradicting"],
)
def test_the_places_outside_say_whether_they_have_the_log(settings, tmp_path, known, words, state):
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}"]
    now = timezone.now()
    since = {"behind_since": now - known["behind_since"]} if "behind_since" in known else {}
    Publication.objects.create(name=places()[0].name, tried_at=now, size=1, **(known | since))

    shown = card(Role.AUDITOR, "Log outside")

    assert (str(shown.text), shown.state) == (words, state)


@pytest.mark.promise("USE-3")
def test_without_a_place_outside_there_is_no_card_for_it(settings):
    settings.AUDIT_PUBLISH = []

    assert card(Role.AUDITOR, "Log outside") is None
