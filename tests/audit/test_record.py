from datetime import timedelta
from enum import Enum
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import TextChoices
from django.http import HttpResponse
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.identifiers import uuid7
from audit.middleware import RequestIdMiddleware
from audit.models import Entry, Verification
from audit.record import NewEntry, Reference, record, record_many, request_id
from tests.audit.conftest import Someone

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.django_db]

PERSONAL = ["Ann Example", "ann@example.com", "+49 30 1234", "1 High Street", "Zoë", "a\n", "a/b", "x" * 81]


class Purpose(TextChoices):
    DISPATCH = "dispatch", "pack, ship, deliver"


class PlainCategory(Enum):
    DELIVERY = "delivery"


def test_record_writes_one_entry_as_given(actor):
    subject, thing, case = uuid7(), Reference("orders.order", uuid7()), Reference("orders.parcel", uuid7())

    entry_id = record(
        Event.DATA_OPENED,
        by=actor,
        subject=subject,
        object=thing,
        purpose=Purpose.DISPATCH,
        categories=[PlainCategory.DELIVERY, "purchase"],
        fields=("orders.orderaddress.line1",),
        case=case,
        outcome="ok",
    )

    entry = Entry.objects.get(id=entry_id)
    assert (entry.event, entry.outcome, entry.purpose) == ("privacy.data.opened", "ok", "dispatch")
    assert (entry.actor_role, entry.actor_id, entry.actor_name) == ("support", actor.id, "")
    assert entry.subject_id == subject
    assert Reference(entry.object_label, entry.object_id) == thing
    assert Reference(entry.case_label, entry.case_id) == case
    assert entry.categories == ["delivery", "purchase"]
    assert entry.fields == ["orders.orderaddress.line1"]


def test_record_lets_the_database_say_when_by_whom_and_in_which_transaction(actor):
    entry_id = record(Event.LOG_VERIFIED, by=actor)

    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, pg_current_xact_id()::text")
        role, transaction_id = cursor.fetchone()
    entry = Entry.objects.get(id=entry_id)
    assert (entry.db_role, entry.transaction) == (role, int(transaction_id))
    assert abs(entry.at - timezone.now()) < timedelta(minutes=1)


def test_record_takes_a_model_for_person_and_object(actor):
    row = Verification(id=uuid7())

    entry_id = record(Event.LOG_VERIFIED, by=actor, subject=row, object=row, case=row)

    entry = Entry.objects.get(id=entry_id)
    assert entry.subject_id == row.id
    assert (entry.object_label, entry.object_id) == ("audit.verification", row.id)
    assert (entry.case_label, entry.case_id) == ("audit.verification", row.id)


def test_record_many_writes_in_order_in_one_statement(actor, django_assert_num_queries):
    with django_assert_num_queries(1):
        ids = record_many([NewEntry(event=Event.DATA_OPENED, by=actor, subject=uuid7()) for _ in range(50)])

    assert list(Entry.objects.filter(id__in=ids).order_by("transaction", "id").values_list("id", flat=True)) == ids


def test_record_many_of_nothing_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert record_many([]) == []


@pytest.mark.django_db(transaction=True)
def test_record_outside_a_transaction_is_refused(actor):
    with pytest.raises(NotRecordable):
        record(Event.DATA_OPENED, by=actor)

    assert not Entry.objects.filter(actor_id=actor.id).exists()


@pytest.mark.django_db(transaction=True)
def test_record_is_undone_with_the_change_it_records(actor):
    def change_and_fail():
        with transaction.atomic():
            record(Event.DATA_OPENED, by=actor)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()

    assert not Entry.objects.filter(actor_id=actor.id).exists()


@pytest.mark.parametrize("event", ["privacy.data.stolen", "", None])
def test_record_of_an_unknown_event_is_refused(actor, event):
    with pytest.raises(NotRecordable):
        record(event, by=actor)


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("place", ["purpose", "outcome", "categories", "fields"])
def test_record_of_a_value_that_could_be_personal_is_refused(actor, place, value):
    given = [value] if place in ("categories", "fields") else value

    with pytest.raises(NotRecordable) as refusal:
        record(Event.DATA_OPENED, by=actor, **{place: given})

    assert value not in str(refusal.value)


@pytest.mark.parametrize("value", PERSONAL)
def test_record_by_an_actor_with_a_personal_name_or_role_is_refused(value):
    for someone in (Someone(name=value), Someone(role=value)):
        with pytest.raises(NotRecordable):
            record(Event.DATA_OPENED, by=someone)


@pytest.mark.parametrize("value", ["ann@example.com", 7, "01a2047f-b902-7fbf-8ae2-86d4281de012"])
@pytest.mark.parametrize("place", ["subject", "object", "case"])
def test_record_of_a_reference_that_is_no_uuid_is_refused(actor, place, value):
    given = value if place == "subject" else Reference("orders.order", value)

    with pytest.raises(NotRecordable):
        record(Event.DATA_OPENED, by=actor, **{place: given})


@pytest.mark.parametrize(
    "given",
    [
        {"outcome": ""},
        {"categories": "delivery"},
        {"fields": [""]},
        {"purpose": None},
        {"object": Reference("", uuid4())},
    ],
)
def test_record_of_something_missing_is_refused(actor, given):
    with pytest.raises(NotRecordable):
        record(Event.DATA_OPENED, by=actor, **given)


def test_request_id_is_on_every_entry_of_the_request_and_on_none_after(actor, rf):
    written = []

    def view(request):
        written.extend(record(Event.DATA_OPENED, by=actor) for _ in range(2))
        return HttpResponse()

    RequestIdMiddleware(view)(rf.get("/", headers={"X-Request-Id": str(uuid4())}))
    after = record(Event.DATA_OPENED, by=actor)

    first, second = Entry.objects.filter(id__in=written)
    assert first.request_id == second.request_id != None  # noqa: E711
    assert Entry.objects.get(id=after).request_id is None
    assert request_id.get() is None
