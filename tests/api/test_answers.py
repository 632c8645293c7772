"""What our staff answered, and what a message is about, as the pages show it."""

from uuid import uuid4

import pytest

from audit.events import Event
from audit.models import Entry
from privacy.access.gate import unit_of_work
from privacy.complaints.actions import open_ticket
from privacy.complaints.models import Ticket
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from privacy.rights.decisions import decide_request
from privacy.rights.restrictions import object_to_use
from tests.orders import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def objection(person):
    with unit_of_work():
        asked = object_to_use(by=person.actor, subject=person.subject, purpose=Purpose.IMPROVEMENT, reason="My own reason")
        decide_request(by=factories.actor(Role.PRIVACY_OFFICER), request=asked, is_granted=True, answer="You are right")
    return asked


@pytest.mark.promise("RIGHTS-1")
def test_a_request_shows_what_was_objected_and_what_was_answered(person, objection):
    shown = person.program().get(f"/api/v1/requests/{objection.pk}/").json()

    assert shown["detail"] == {"old_value": None, "new_value": None, "reason": "My own reason", "answer": "You are right"}
    assert Entry.objects.filter(
        event=Event.DATA_OPENED, subject_id=person.subject.pk, case_id=objection.pk, actor_id=person.subject.pk
    ).exists()


def test_a_request_without_details_says_so(person):
    made = person.program().post("/api/v1/requests/copies/")

    assert person.program().get(made["Location"]).json()["detail"] is None


def test_the_answer_is_nobody_elses(person, other, objection):
    assert other.program().get(f"/api/v1/requests/{objection.pk}/").status_code == 404


@pytest.mark.promise("RIGHTS-9")
def test_a_message_names_the_uses_that_it_is_about(person):
    entry = Entry.objects.filter(subject_id=person.subject.pk, event=Event.DATA_COLLECTED).first()
    with unit_of_work():
        ticket = open_ticket(
            by=person.actor, subject=person.subject, kind=Ticket.Kind.MISUSE, body="Why?", token=uuid4(), entries=[entry.pk]
        )  # fmt: skip

    shown = person.program().get(f"/api/v1/tickets/{ticket.pk}/").json()

    assert shown["entries"] == [str(entry.pk)]
