"""A worker killed for real, in the middle of a copy, an erasure and a purge; the next one finishes, once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.events import Event
from orders.lifecycle.models import OrderAddress
from privacy.access.gate import unit_of_work
from privacy.jobs.actions import sweep_jobs
from privacy.retention.actions import start_purge
from privacy.retention.models import PurgeRun
from privacy.rights import erasure
from privacy.rights.actions import request_copy, request_erasure, start_due_erasures
from privacy.rights.models import ErasureJob, ExportJob, Receipt, Request
from tests.orders.factories import make_product, place
from tests.privacy.rights.people import JOB, close_orders, entries
from tests.processes import wait_until

RECORDS = 150


@pytest.fixture
def rich(transactional_db, person, monkeypatch):
    """A person with so many records that work on them takes a while."""
    monkeypatch.setattr(erasure, "_blockers", [])
    product = make_product(on_hand=RECORDS)
    for _ in range(RECORDS):
        place(user=person, items=[(product, 1)])
    return person


def sweep_until(model, state, job):
    def is_over():
        model.objects.filter(pk=job.pk, state="queued").update(queued_at=timezone.now() - timedelta(minutes=1), due_at=timezone.now())
        sweep_jobs()
        return model.objects.filter(pk=job.pk, state=state).exists()

    wait_until(is_over, f"{model.__name__} to be {state}", limit=60)


@pytest.mark.promise("RIGHTS-1")
def test_a_copy_is_finished_by_the_next_worker(rich, live_worker):
    with unit_of_work():
        request = request_copy(by=rich.actor, subject=rich.subject)
    wait_until(lambda: ExportJob.objects.get().progress > 0, "the copy to be under way")

    live_worker.kill9()
    assert ExportJob.objects.get().state == "running"
    live_worker.start()
    sweep_until(ExportJob, "done", request.export)

    assert Request.objects.get(pk=request.pk).state == Request.State.COMPLETED
    for event in (Event.REQUEST_STARTED, Event.DATA_EXPORTED, Event.REQUEST_COMPLETED):
        assert entries(event, object_id=request.pk) == 1


@pytest.mark.promise("RIGHTS-3")
def test_an_erasure_is_finished_by_the_next_worker(rich, live_worker):
    close_orders(rich, timedelta(days=1))
    with unit_of_work():
        request = request_erasure(by=rich.actor, subject=rich.subject)
    Request.objects.filter(pk=request.pk).update(effective_at=timezone.now())
    start_due_erasures()
    wait_until(lambda: ErasureJob.objects.get().steps, "the erasure to be under way")

    live_worker.kill9()
    assert not Receipt.objects.exists()
    live_worker.start()
    sweep_until(ErasureJob, "done", ErasureJob.objects.get())

    assert Receipt.objects.get().counts["orders.orderaddress"] == RECORDS + 1
    assert not OrderAddress.objects.filter(subject=rich.subject).exists()
    for event in (Event.REQUEST_STARTED, Event.KEY_DESTROYED, Event.DATA_ERASED, Event.REQUEST_COMPLETED):
        assert entries(event, object_id=request.pk) == 1


@pytest.mark.promise("CHANGE-3")
def test_a_purge_is_finished_by_the_next_worker(rich, live_worker):
    close_orders(rich, timedelta(days=31))
    total = OrderAddress.objects.count()
    with unit_of_work():
        run = start_purge(by=JOB)
    wait_until(lambda: PurgeRun.objects.get().state != "queued", "the purge to be under way")

    live_worker.restart()
    sweep_until(PurgeRun, "done", run)

    run.refresh_from_db()
    assert (OrderAddress.objects.count(), run.counts["orders.orderaddress"]) == (0, total)
    assert entries(Event.PURGE_COMPLETED, object_id=run.pk) == 1
