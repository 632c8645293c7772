"""People alike: staff read them through the gate, marks are kept of it, and the watch counts these and opens nothing."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from orders.lifecycle.models import OrderAddress
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.oversight.models import ReadTrait
from privacy.access.oversight.watching import SETTLED_AFTER, watch_uses
from privacy.alerts.models import Alert, AlertKind
from privacy.declarations.purposes import Purpose
from privacy.declarations.registry import data_map
from privacy.policy.roles import Actor, Role
from privacy.retention.walker import expired, record_models
from tests.orders import factories
from tests.orders.conftest import partners
from tests.privacy.access.oversight.looks import looks
from tests.privacy.complaints.people import ask
from tests.privacy.vault.records import any_case, staff

__all__ = ["partners"]

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-2"), pytest.mark.promise("PROTECT-4")]


@pytest.fixture(autouse=True)
def thresholds(settings, partners):
    settings.OPENINGS_WORKING_HOURS = (0, 24)
    settings.OPENINGS_SAME_NAME_AT_LEAST = 3


@pytest.fixture
def agent():
    return staff(Role.SUPPORT)


def read(by, record, purpose=Purpose.SUPPORT):
    """As a page does that shows a record opened; long enough ago that the watch takes it up."""
    with unit_of_work(), open_access(by=by, purpose=purpose, subject=record.subject_id, reason="a case", case=any_case()) as grant:
        texts = [grant.show(getattr(record, field)) for field in ("name", "addressee", "line1") if hasattr(record, field)]
    a_while_ago = timezone.now() - 2 * SETTLED_AFTER
    ReadTrait.objects.filter(subject_id=record.subject_id).update(read_at=a_while_ago)
    Opening.objects.filter(subject_id=record.subject_id).update(opened_at=a_while_ago)
    return texts


def asking(name):
    """A customer with this name whom support may open: they have written to us."""
    user = factories.make_customer(name)
    ask(user=user)
    return user.details


def living(line1, name="Marker Name"):
    order = factories.received(user=factories.make_customer(name), address={**factories.ADDRESS, "addressee": name, "line1": line1})
    return OrderAddress.objects.get(order=order)


def shared():
    return list(Alert.objects.filter(kind=AlertKind.SHARED_TRAIT))


def test_several_people_with_one_family_name_raise_an_alert(agent):
    for name in ("Ada Byron", "Ann Byron", "Allegra BYRON", "Ada King"):
        read(agent, asking(name))

    watch_uses()

    (alert,) = shared()
    assert (alert.actor_id, alert.role, alert.subject_id, alert.count) == (agent.id, "support", None, 3)


def test_several_people_in_one_street_raise_an_alert():
    packer = staff(Role.FULFILLMENT)
    for number, name in enumerate(("Ada Byron", "Ann King", "Bo Hopper"), 7):
        read(packer, living(f"Long  street {number}b", name), Purpose.DISPATCH)

    watch_uses()

    (alert,) = shared()
    assert (alert.actor_id, alert.count) == (packer.id, 3)


def test_few_people_alike_and_many_others_raise_none(agent):
    for name in ("Ada Byron", "Ann Byron", "Ada King", "Ada Lovelace"):
        read(agent, asking(name))

    watch_uses()

    assert not shared()


def test_one_person_read_many_times_is_one(agent):
    details = asking("Ada Byron")
    for _ in range(4):
        read(agent, details)

    watch_uses()

    assert not shared()


def test_people_alike_among_very_many_raise_none(agent):
    """Whoever packs two hundred parcels a day meets every common name several times."""
    for name in ("Ada Byron", "Ann Byron", "Allegra Byron"):
        read(agent, asking(name))
    looks(40, agent)

    watch_uses()

    assert not shared()


def test_what_two_of_us_read_is_not_added_up(agent):
    other = staff(Role.SUPPORT)
    for by, name in ((agent, "Ada Byron"), (agent, "Ann Byron"), (other, "Allegra Byron")):
        read(by, asking(name))

    watch_uses()

    assert not shared()
    assert ReadTrait.objects.values_list("mark").distinct().count() == 2


def test_a_day_raises_one_alert(agent):
    for name in ("Ada Byron", "Ann Byron", "Allegra Byron"):
        read(agent, asking(name))

    watch_uses()
    watch_uses()

    assert len(shared()) == 1


def test_it_opens_nothing_anew(agent):
    for name in ("Ada Byron", "Ann Byron", "Allegra Byron"):
        read(agent, asking(name))
    before = Entry.objects.filter(event=Event.DATA_OPENED).count()

    watch_uses()

    assert Entry.objects.filter(event=Event.DATA_OPENED).count() == before


# What is kept


@pytest.mark.promise("PROTECT-1")
def test_two_bytes_are_kept_and_no_letter():
    read(staff(Role.FULFILLMENT), living("Markerstreet 7", "Ada Byron"), Purpose.DISPATCH)

    kept = {(trait.kind, bytes(trait.mark)) for trait in ReadTrait.objects.all()}
    assert {kind for kind, _mark in kept} == {"name", "street"}
    assert {len(mark) for _kind, mark in kept} == {2}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {ReadTrait._meta.db_table} t")
        assert not {"byron", "marker"} & set(cursor.fetchone()[0].lower().split())


def test_another_key_makes_another_mark(agent, settings):
    details = asking("Ada Byron")
    read(agent, details)
    settings.BLIND_INDEX_KEY = bytes(32)
    read(agent, details)

    assert ReadTrait.objects.values_list("mark").distinct().count() == 2


def test_a_name_is_kept_once_a_unit_of_work_and_not_at_all_for_oneself_or_a_job(agent):
    details = asking("Ada Byron")
    with unit_of_work(), open_access(by=agent, purpose=Purpose.SUPPORT, subject=details.subject, reason="case", case=any_case()) as grant:
        assert [grant.open(details.name), grant.read(details.name)] == ["Ada Byron"] * 2
    for by in (Actor(Role.CUSTOMER, details.subject_id), Actor.job("test")):
        with unit_of_work(), open_access(by=by, purpose=Purpose.SUPPORT, subject=details.subject) as grant:
            grant.open(details.name)

    assert ReadTrait.objects.count() == 1


def test_it_is_kept_whatever_becomes_of_the_page(agent):
    details = asking("Ada Byron")
    how = {"by": agent, "purpose": Purpose.SUPPORT, "subject": details.subject, "reason": "case", "case": any_case()}

    with pytest.raises(ZeroDivisionError), unit_of_work(), open_access(**how) as grant:
        assert grant.open(details.name) == "Ada Byron"
        raise ZeroDivisionError

    assert ReadTrait.objects.filter(actor_id=agent.id, subject_id=details.subject_id).exists()


@pytest.mark.promise("CHANGE-3")
def test_it_goes_after_thirty_days_and_with_the_person(agent):
    read(agent, asking("Ada Byron"))
    now = timezone.now()

    assert ReadTrait in record_models()
    assert not expired(ReadTrait, now + timedelta(days=29)).exists()
    assert expired(ReadTrait, now + timedelta(days=31)).count() == 1


@pytest.mark.promise("COLLECT-1")
def test_the_data_map_says_what_it_is():
    (mark,) = [field for field in data_map() if field.model is ReadTrait and field.name == "mark"]

    assert "two bytes of a keyed digest" in mark.why
