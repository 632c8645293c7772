"""The pages of those who oversee the staff, and the question that staff are asked past the soft limit."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from privacy.access.gate import unit_of_work
from privacy.access.models import Opening
from privacy.access.oversight.actions import close_openings
from privacy.access.oversight.drawing import draw_sample
from privacy.access.oversight.models import OpeningClosure, OpeningConfirmation, Review
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import Alert, AlertKind
from privacy.policy.dashboard import cards_for
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7
from tests.accounts.people import make_staff, staff_client
from tests.orders.conftest import partners  # noqa: F401  the agreements that an order needs
from tests.orders.factories import confirmed
from tests.privacy.access.oversight.looks import looks
from tests.privacy.vault.records import staff

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-3")]
AGENT = staff(Role.SUPPORT)
ALERTS, REVIEWS, CLOSURES = "/admin/privacy/alert/", "/admin/privacy/review/", "/admin/privacy/openingclosure/"


@pytest.fixture
def officer(policy):
    return make_staff(Role.PRIVACY_OFFICER)


@pytest.fixture
def client(officer):
    return staff_client(officer)


@pytest.fixture
def alert(policy):
    with unit_of_work():
        return raise_alert(kind=AlertKind.VOLUME, actor_id=AGENT.id, role=AGENT.role, count=41)


@pytest.fixture
def review(policy):
    looks(1, AGENT)
    with unit_of_work():
        draw_sample(by=Actor.job("watch"))
    return Review.objects.get()


@pytest.fixture
def closure(policy):
    with unit_of_work():
        return close_openings(actor_id=AGENT.id, role=AGENT.role, people=61)


def page_of(obj):
    return f"/admin/privacy/{obj._meta.model_name}/{obj.pk}/change/"


def text_of(answer):
    return " ".join(answer.content.decode().split())


# Alerts


@pytest.mark.promise("RIGHTS-9")
def test_an_alerts_page_says_what_it_is_and_what_to_do(client, alert):
    text = text_of(client.get(page_of(alert)))

    assert "Somebody opened far more people" in text
    assert "before you judge" in text
    assert f"/admin/privacy/opening/?actor_id={AGENT.id}" in text


def test_an_alert_leads_to_what_the_member_of_staff_opened(client, alert):
    own, _other = looks(1, AGENT), looks(1, staff())

    answer = client.get(f"/admin/privacy/opening/?actor_id={AGENT.id}")

    assert [row.pk for row in answer.context["cl"].result_list] == [look.pk for look in own]


@pytest.mark.promise("RIGHTS-9")
def test_an_alert_is_closed_with_an_outcome_and_a_note(client, officer, alert):
    answer = client.post(page_of(alert), {"outcome": "mistake", "note": "a filter was missing", "_find": "1"}, follow=True)

    alert.refresh_from_db()
    assert (alert.outcome, alert.note, alert.closed_by) == ("mistake", "a filter was missing", officer.subject_id)
    assert "Closed. What you found stays on record." in text_of(answer)
    assert "_find" not in text_of(answer)


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("given", [{"outcome": ""}, {"outcome": "other"}, {"outcome": "misuse", "color": "red"}])
def test_a_finding_that_is_refused_keeps_what_was_typed(client, alert, given):
    answer = client.post(page_of(alert), {"note": "a filter was missing", "_find": "1", **given})

    alert.refresh_from_db()
    assert alert.is_open
    assert "a filter was missing" in text_of(answer)
    assert "errorlist" in text_of(answer)


@pytest.mark.promise("RIGHTS-9")
def test_an_alert_about_oneself_offers_no_form_and_refuses_it(client, officer):
    with unit_of_work():
        own = raise_alert(kind=AlertKind.HOURS, actor_id=officer.subject_id, role=officer.role)

    assert "Somebody else has to look at it." in text_of(client.get(page_of(own)))
    answer = client.post(page_of(own), {"outcome": "justified", "note": "", "_find": "1"})

    own.refresh_from_db()
    assert own.is_open
    assert "this alert is about you" in text_of(answer)


def test_an_alert_that_was_closed_meanwhile_says_so(client, alert):
    Alert.objects.update(closed_at=timezone.now(), closed_by=uuid7(), outcome="misuse")

    answer = client.post(page_of(alert), {"outcome": "justified", "note": "", "_find": "1"})

    alert.refresh_from_db()
    assert alert.outcome == "misuse"
    assert answer.status_code == 200


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPPORT])
def test_other_roles_close_no_alert(alert, role):
    client = staff_client(make_staff(role))

    answer = client.post(page_of(alert), {"outcome": "justified", "note": "", "_find": "1"})

    assert answer.status_code == 403
    alert.refresh_from_db()
    assert alert.is_open


def test_open_alerts_come_first_oldest_on_top(client, alert):
    with unit_of_work():
        older = raise_alert(kind=AlertKind.HOURS, actor_id=uuid7())
        closed = raise_alert(kind=AlertKind.COLLEAGUE, actor_id=uuid7())
    Alert.objects.filter(pk=older.pk).update(raised_at=timezone.now() - timedelta(days=2))
    Alert.objects.filter(pk=closed.pk).update(
        raised_at=timezone.now() - timedelta(days=3), closed_at=timezone.now(), closed_by=uuid7(), outcome="mistake"
    )

    everything, waiting = client.get(ALERTS), client.get(f"{ALERTS}?open=yes")

    assert [row.pk for row in everything.context["cl"].result_list] == [older.pk, alert.pk, closed.pk]
    assert [row.pk for row in waiting.context["cl"].result_list] == [older.pk, alert.pk]


def cards(role):
    return {str(card.title): card for _section, found in cards_for(Actor(role, id=uuid7())) for card in found}


def test_the_dashboard_counts_what_waits_for_whom_it_concerns(alert, review, closure):
    officers, supports = cards(Role.PRIVACY_OFFICER), cards(Role.SUPPORT)

    assert [officers[title].number for title in ("Open alerts", "Looks to be reviewed", "Staff who may open nobody")] == [2, 1, 1]
    assert officers["Open alerts"].state == "late"
    assert officers["Looks to be reviewed"].state == "watch"
    assert not {"Open alerts", "Looks to be reviewed", "Staff who may open nobody"} & supports.keys()


def test_an_overdue_review_is_late_on_the_dashboard_and_in_the_list(client, review):
    Review.objects.update(due_at=timezone.now() - timedelta(days=1))

    assert cards(Role.PRIVACY_OFFICER)["Looks to be reviewed"].state == "late"
    assert "overdue" in text_of(client.get(REVIEWS))


# Reviews


@pytest.mark.promise("USE-3")
def test_a_review_is_decided_on_its_page(client, officer, review):
    answer = client.post(page_of(review), {"outcome": "unjustified", "note": "", "_find": "1"}, follow=True)

    review.refresh_from_db()
    assert (review.outcome, review.reviewed_by) == ("unjustified", officer.subject_id)
    assert "Reviewed. The customer can see the outcome." in text_of(answer)


def test_a_review_whose_look_is_gone_still_has_its_page(client, review):
    Opening.objects.all().delete()

    assert "The look itself is gone" in text_of(client.get(page_of(review)))


# Closures


def test_a_closure_is_lifted_by_its_button(client, officer, closure):
    client.post(page_of(closure), {"_button": "lift"})

    closure.refresh_from_db()
    assert closure.lifted_by == officer.subject_id


def test_ones_own_closure_stays(client, officer):
    with unit_of_work():
        own = close_openings(actor_id=officer.subject_id, role=officer.role, people=61)

    answer = client.post(page_of(own), {"_button": "lift"}, follow=True)

    own.refresh_from_db()
    assert own.is_open
    assert "somebody else has to decide it" in text_of(answer)


# The question past the soft limit


@pytest.fixture
def order():
    return confirmed()


@pytest.fixture
def agent():
    return make_staff(Role.SUPPORT, "agent@example.org")


def ask_to_open(client, order, **more):
    given = {"purpose": "order", "case": "", "reason": "asked on the phone", "_open": "1", **more}
    return text_of(client.post(f"/admin/orders/order/{order.pk}/change/", given))


def test_past_the_soft_limit_the_page_asks_and_then_opens(settings, order, agent):
    settings.OPENINGS_AN_HOUR = {role.value: (3, 5) for role in Role}
    looks(3, agent.actor)
    client = staff_client(agent, "agent@example.org")

    before = text_of(client.get(f"/admin/orders/order/{order.pk}/change/"))
    asked = ask_to_open(client, order)
    opened = ask_to_open(client, order, needs_many="on")

    assert "needs_many" not in before
    assert "Do you need this one too?" in asked
    assert 'name="needs_many"' in asked
    assert "asked on the phone" in asked
    assert "It closes by itself" in opened
    assert OpeningConfirmation.objects.filter(actor_id=agent.subject_id).count() == 1
    assert Entry.objects.filter(event=Event.DATA_REFUSED, outcome="soft_limit").count() == 1


def test_past_the_hard_limit_the_page_says_who_can_help(settings, order, agent):
    settings.OPENINGS_AN_HOUR = {role.value: (3, 5) for role in Role}
    looks(5, agent.actor)
    client = staff_client(agent, "agent@example.org")

    text = ask_to_open(client, order, needs_many="on")

    assert "A privacy officer has to let you go on." in text
    assert OpeningClosure.objects.filter(actor_id=agent.subject_id).exists()
