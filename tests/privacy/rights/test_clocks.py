"""Each request carries the day by which the law wants it answered, shown to the person and to staff alike."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone, translation
from django.utils.formats import date_format

from marketplace.accounts.models import AccountDetails
from privacy.access.gate import unit_of_work
from privacy.rights.actions import correct_record, request_copy
from privacy.rights.clocks import answer_due
from privacy.rights.models import Request
from privacy.rights.queries import overdue_requests
from tests.orders.factories import client_of


@pytest.mark.parametrize(("made", "due"), [
    (datetime(2026, 3, 15, 9, tzinfo=UTC), datetime(2026, 4, 15, 9, tzinfo=UTC)),
    (datetime(2026, 1, 31, 9, tzinfo=UTC), datetime(2026, 2, 28, 9, tzinfo=UTC)),
    (datetime(2028, 1, 31, 9, tzinfo=UTC), datetime(2028, 2, 29, 9, tzinfo=UTC)),
    (datetime(2026, 12, 31, 9, tzinfo=UTC), datetime(2027, 1, 31, 9, tzinfo=UTC)),
])  # fmt: skip
def test_an_answer_is_due_one_calendar_month_after_the_request(made, due):
    assert answer_due(made) == due


@pytest.mark.promise("RIGHTS-7")
def test_each_request_has_its_due_date_and_the_person_sees_it(person):
    with unit_of_work():
        request = request_copy(by=person.actor, subject=person.subject)

    page = client_of(person).get(request.get_absolute_url()).content.decode()

    with translation.override("en"):
        assert date_format(answer_due(request.made_at), "DATE_FORMAT") in page
    assert not request.is_overdue


@pytest.mark.promise("RIGHTS-7")
def test_a_correction_is_done_at_once_and_a_request_past_its_date_counts_as_overdue(person):
    details = AccountDetails.objects.get(subject=person.subject)
    with unit_of_work():
        correction = correct_record(by=person.actor, record=details, changes={"name": "Right Name"})
        copy = request_copy(by=person.actor, subject=person.subject)
    Request.objects.filter(pk=copy.pk).update(due_at=timezone.now())

    assert correction.completed_at is not None
    assert correction.completed_at < correction.due_at
    assert Request.objects.get(pk=copy.pk).is_overdue
    assert list(overdue_requests()) == [copy]
    assert "We are late." in client_of(person).get(copy.get_absolute_url()).content.decode()
    assert "We are late." not in client_of(person).get(correction.get_absolute_url()).content.decode()
