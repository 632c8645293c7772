"""The demo's clock moves what the site takes for now, in this process and nowhere else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from marketplace.demo.chapters import DEMO, Chapter, Teller, tell, telling
from marketplace.demo.clock import set_clock, story_time
from marketplace.demo.paper import outside_on_paper
from orders.catalogue.models import Product
from orders.parcels.carrier import carrier
from orders.payments.gateway import payment_gateway
from privacy.vault.models import Subject

THEN = datetime(2024, 2, 29, 12, tzinfo=UTC)


def test_inside_story_time_it_is_the_moment_that_was_set():
    with story_time():
        assert timezone.now() > THEN + timedelta(days=300)
        set_clock(THEN)

        assert timezone.now() == THEN
        assert timezone.localdate() == THEN.date()
        assert Product().created_at == THEN
        assert isinstance(datetime.now(UTC), timezone.datetime)

    assert timezone.now() > THEN + timedelta(days=300)
    assert timezone.datetime is datetime


def test_after_an_error_it_is_now_again():
    with pytest.raises(LookupError), story_time():
        set_clock(THEN)
        raise LookupError

    assert timezone.now() > THEN + timedelta(days=300)


@pytest.mark.promise("USE-3")
@pytest.mark.django_db
def test_no_process_of_the_site_can_date_an_entry():
    with story_time(), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        set_clock(THEN)
        record(Event.STORY_TOLD, by=DEMO)


def test_the_outside_is_on_paper_and_then_again_what_the_settings_name(settings):
    before = type(payment_gateway())

    with outside_on_paper():
        assert payment_gateway().authorize(key="1", payment="1", amount=1, currency="EUR", method="card", payer="").state == "succeeded"
        assert carrier().book(key="1", parcel="1", address={}).tracking_number.startswith("SB")

    assert type(payment_gateway()) is before


@pytest.mark.django_db
def test_a_chapter_that_fails_leaves_nothing(transactional_db):
    def fail(teller: Teller) -> None:
        Subject.objects.create()
        raise LookupError

    before = Subject.objects.count()
    with telling(timezone.now()) as teller, pytest.raises(LookupError):
        tell(teller, Chapter("fails", timezone.now(), fail))

    assert Subject.objects.count() == before
