"""A worker killed in the middle of an export, an erasure or a purge: each ends done once, nothing half."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from audit.models import Entry
from orders.lifecycle.models import Order, OrderAddress, OrderContact
from orders.parcels.actions import deliver_parcel
from privacy.access.gate import unit_of_work
from privacy.jobs.actions import sweep_jobs
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.retention.actions import start_purge
from privacy.retention.models import PurgeRun
from privacy.rights.actions import request_copy, request_erasure, start_due_erasures
from privacy.rights.models import ExportJob, Receipt, Request
from privacy.sharing.models import FollowUp
from privacy.vault.models import DestroyedKey, SubjectKey
from tests.journeys import life
from tests.orders.factories import actor, handed_over, make_customer, parcel_of
from tests.processes import wait_until

TEST = Actor.job("test")


@pytest.fixture
def customer(live_worker):
    """Somebody with a delivered order, so that every kind of record is there."""
    user = make_customer()
    order = handed_over(user=user)
    with unit_of_work():
        deliver_parcel(by=actor(Role.FULFILLMENT), parcel=parcel_of(order))
    return user


@pytest.fixture
def held_up(owner_connection, live_worker):
    """``with held_up(table):`` the worker gets stuck at this table, and is killed there."""

    @contextmanager
    def hold(table):
        connection = owner_connection()
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        _swept_until(lambda: _is_somebody_waiting(owner_connection, table), f"the worker to reach {table}")
        live_worker.kill9()
        connection.rollback()
        live_worker.start()

    return hold


def _is_somebody_waiting(owner_connection, table):
    connection = owner_connection()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())",
            [table],
        )
        number = cursor.fetchone()[0]
    connection.close()
    return number > 0


def _swept_until(condition, what):
    """The sweeper is beat's; here it runs as often as it takes."""

    def ask():
        sweep_jobs()
        return condition()

    wait_until(ask, what, limit=90)


def _entries(event, **more):
    return Entry.objects.filter(event=event, **more).count()


@pytest.mark.promise("RIGHTS-1")
def test_an_export_whose_worker_is_killed_is_made_once(customer, held_up):
    me = Actor(Role.CUSTOMER, customer.subject_id)

    with held_up("orders_orderaddress"), unit_of_work():
        request = request_copy(by=me, subject=customer.subject)
    job = request.export
    job.refresh_from_db()
    assert not job.can_be_downloaded
    _swept_until(lambda: ExportJob.objects.get(pk=job.pk).state == "done", "the copy")

    job.refresh_from_db()
    assert Request.objects.get(pk=request.pk).state == "completed"
    assert job.attempts == 2
    assert storages["exports"].listdir("")[1] == [job.file]
    assert _entries("privacy.data.exported", subject_id=customer.subject_id) == 1
    assert _entries("rights.request.completed", object_id=request.pk) == 1
    assert OutboundMail.objects.filter(template="rights-copy-ready", object_id=request.pk).count() == 1


@pytest.mark.promise("RIGHTS-3")
@pytest.mark.parametrize("table", ["accounts_mailboxindex", "orders_orderaddress", "privacy_receipt"])
def test_an_erasure_whose_worker_is_killed_ends_done_once(customer, held_up, table):
    """Stuck before the keys are destroyed, between keys and rows, and at the receipt."""
    me = Actor(Role.CUSTOMER, customer.subject_id)
    with unit_of_work():
        request = request_erasure(by=me, subject=customer.subject)
    life.let_cooling_off_pass(request)

    with held_up(table):
        start_due_erasures()
    _swept_until(lambda: Request.objects.get(pk=request.pk).state == "completed", "the erasure")

    assert set(SubjectKey.objects.filter(subject_id=customer.subject_id).values_list("scope", flat=True)) == {"records"}
    assert DestroyedKey.objects.filter(subject_id=customer.subject_id).count() == 6
    assert not OrderAddress.objects.filter(subject=customer.subject).exists()
    assert not OrderContact.objects.filter(subject=customer.subject).exists()
    assert Receipt.objects.filter(request=request).count() == 1
    for event in ("vault.key.destroyed", "privacy.data.erased", "rights.request.completed"):
        assert _entries(event, object_id=request.pk) == 1, event
    asked = FollowUp.objects.filter(subject=customer.subject)
    assert asked.count() == asked.values("recipient", "kind").distinct().count()


@pytest.mark.promise("CHANGE-3")
@pytest.mark.promise("CHANGE-4")
def test_a_purge_whose_worker_is_killed_deletes_and_records_each_row_once(customer, held_up):
    Order.objects.filter(subject=customer.subject).update(state="closed", closed_at=timezone.now() - timedelta(days=400))
    before = Order.objects.get(subject=customer.subject)

    with held_up("orders_ordercontact"), unit_of_work():
        run = start_purge(by=TEST)
    _swept_until(lambda: PurgeRun.objects.get(pk=run.pk).state == "done", "the purge")

    run.refresh_from_db()
    assert run.result == "clean"
    assert not OrderAddress.objects.filter(subject=customer.subject).exists()
    assert not OrderContact.objects.filter(subject=customer.subject).exists()
    purged = Entry.objects.filter(event="privacy.data.purged", subject_id=customer.subject_id)
    assert purged.count() == purged.values("categories", "fields").distinct().count()
    assert _entries("retention.purge.completed", object_id=run.pk) == 1
    after = Order.objects.get(subject=customer.subject)
    assert (after.total, after.lines.count()) == (before.total, before.lines.count())
