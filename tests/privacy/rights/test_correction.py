"""A correction changes the person's own record, and whoever has the old value is told."""

import pytest
from django.core.exceptions import ValidationError

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.models import AccountDetails
from orders.lifecycle.models import OrderAddress
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.rights.actions import correct_record
from privacy.rights.errors import NotCorrectable, NotYourData
from privacy.rights.models import Request
from privacy.sharing.models import FollowUp
from tests.privacy.rights.people import disclose_to, entries, new_requests


@pytest.fixture
def details(person):
    return AccountDetails.objects.get(subject=person.subject)


def name_of(person):
    record = AccountDetails.objects.get(subject=person.subject)
    with unit_of_work(), open_access(by=person.actor, purpose=Purpose.RIGHTS, subject=person.subject) as grant:
        return grant.open(record.name)


@pytest.mark.promise("RIGHTS-2")
def test_correct_record_writes_the_new_value(person, details):
    with unit_of_work():
        request = correct_record(by=person.actor, record=details, changes={"name": "Right Name"})

    assert name_of(person) == "Right Name"
    assert (request.kind, request.state) == (Request.Kind.CORRECTION, Request.State.COMPLETED)
    assert entries(Event.DATA_CORRECTED, subject_id=person.subject_id, case_id=request.pk) == 1
    assert entries(Event.DATA_OPENED, case_id=request.pk) == 0


@pytest.mark.promise("RIGHTS-2")
def test_recipients_of_the_category_are_told(person, details):
    disclose_to(person, "carrier", ["delivery"])
    disclose_to(person, "payments", ["account"], Purpose.PAYMENT)

    with unit_of_work():
        correct_record(by=person.actor, record=details, changes={"name": "Right Name"})

    follow_ups = FollowUp.objects.filter(subject=person.subject, kind=FollowUp.Kind.CORRECTION)
    assert [follow_up.recipient.slug for follow_up in follow_ups] == ["payments"]


def test_correct_record_refuses_others(person, other, details):
    with pytest.raises(NotYourData), unit_of_work():
        correct_record(by=other.actor, record=details, changes={"name": "Wrong"})

    assert name_of(person) == "Marker Name"


@pytest.mark.parametrize("changes", [{"email": "x@example.org"}, {"user": "x"}, {"name": "a", "subject_id": "b"}])
def test_correct_record_refuses_fields_that_are_not_the_persons_to_change(person, details, changes):
    with pytest.raises(NotCorrectable), unit_of_work():
        correct_record(by=person.actor, record=details, changes=changes)


def test_correct_record_refuses_models_that_allow_none(person):
    with pytest.raises(NotCorrectable), unit_of_work():
        record = OrderAddress.objects.get(subject=person.subject)
        correct_record(by=person.actor, record=record, changes={"line1": "x"})


@pytest.mark.parametrize("text", ["", "x" * 121])
def test_correct_record_refuses_what_the_field_does_not_take(person, details, text):
    with pytest.raises(ValidationError), unit_of_work():
        correct_record(by=person.actor, record=details, changes={"name": text})

    assert name_of(person) == "Marker Name"


def test_correct_record_changes_nothing_if_the_entry_cannot_be_written(person, details):
    by = Actor(Role.CUSTOMER, person.subject_id, name="no token at all")

    with pytest.raises(NotRecordable), unit_of_work():
        correct_record(by=by, record=details, changes={"name": "Right Name"})

    assert name_of(person) == "Marker Name"
    assert not new_requests().exists()
