"""The demo's clock moves what the site takes for now, in this process and nowhere else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import record
from marketplace.database_roles import MAIN_OWNER
from marketplace.demo.chapters import DEMO, Chapter, Teller, tell, telling, told_chapters
from marketplace.demo.clock import set_clock, story_time
from marketplace.demo.paper import outside_on_paper
from orders.catalogue.models import Product
from orders.parcels.carrier import carrier
from orders.payments.gateway import payment_gateway
from privacy.jobs.errors import TryLater
from privacy.retention.actions import start_purge
from privacy.retention.models import PurgeRun
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


def test_a_chapter_is_told_whole_at_its_moment_with_the_jobs_it_leaves(as_owner):
    moment = timezone.now() - timedelta(hours=5)

    with telling(timezone.now()) as teller:
        tell(teller, Chapter("purge", moment, lambda teller: start_purge(by=DEMO)))

    run = PurgeRun.objects.get()
    assert (run.state, run.queued_at, run.finished_at) == (PurgeRun.State.DONE, moment, moment)
    told = Entry.objects.get(event=Event.STORY_TOLD)
    assert (told.at, told.outcome, told.db_role) == (moment, "purge", MAIN_OWNER)
    assert told_chapters() == {"purge"}


def test_a_job_that_wants_to_wait_is_done_when_it_wants(as_owner, monkeypatch):
    tries = []

    def perform(run):
        tries.append(timezone.now())
        if len(tries) == 1:
            raise TryLater(3600)

    monkeypatch.setattr(PurgeRun, "perform", perform)
    moment = timezone.now() - timedelta(hours=5)
    with telling(timezone.now()) as teller:
        tell(teller, Chapter("purge", moment, lambda teller: start_purge(by=DEMO)))

    assert tries == [moment, moment + timedelta(hours=1)]


def test_a_job_that_fails_is_left_to_the_site(as_owner, monkeypatch):
    monkeypatch.setattr(PurgeRun, "perform", lambda run: 1 / 0)

    with telling(timezone.now()) as teller:
        tell(teller, Chapter("purge", timezone.now() - timedelta(hours=5), lambda teller: start_purge(by=DEMO)))

    assert PurgeRun.objects.get().state == PurgeRun.State.QUEUED


def test_a_chapter_that_fails_leaves_nothing(as_owner):
    def fail(teller: Teller) -> None:
        Subject.objects.create()
        raise LookupError

    with telling(timezone.now()) as teller, pytest.raises(LookupError):
        tell(teller, Chapter("fails", timezone.now(), fail))

    assert not Subject.objects.exists()
    assert told_chapters() == set()
