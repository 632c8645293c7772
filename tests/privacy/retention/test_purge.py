"""Purges delete what is over, say so, and nothing else."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from marketplace.accounts.models import PendingMailbox
from orders.lifecycle.models import Order, OrderAddress, OrderContact, OrderLine
from orders.payments.models import PaymentDetail
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor
from privacy.retention import actions, registry
from privacy.retention.actions import purge_expired, start_purge
from privacy.retention.errors import RunIsOver
from privacy.retention.models import PurgeRun
from privacy.rights.actions import request_copy
from tests.orders.factories import count_queries, place
from tests.privacy.rights.people import JOB, UNWRITABLE, close_orders, entries, perform


def purge(dry_run=False):
    return perform(start_purge(by=JOB, dry_run=dry_run, at_once=False))


@pytest.fixture
def ended(person):
    """A person whose order was closed 31 days ago: the address is over, the contact is not."""
    close_orders(person, timedelta(days=31))
    return person


@pytest.fixture
def no_invariants(monkeypatch):
    monkeypatch.setattr(registry, "_invariants", {})


@pytest.mark.promise("CHANGE-3")
def test_purge_deletes_what_is_over_and_leaves_the_rest(ended):
    run = purge()

    assert not OrderAddress.objects.filter(subject=ended.subject).exists()
    assert OrderContact.objects.filter(subject=ended.subject).exists()
    assert PaymentDetail.objects.filter(subject=ended.subject).exists()
    assert run.state == PurgeRun.State.DONE
    assert run.result == PurgeRun.Result.CLEAN
    assert run.counts["orders.orderaddress"] == 1


@pytest.mark.promise("CHANGE-4")
def test_purge_leaves_lines_totals_and_dates(ended):
    before = list(Order.objects.values()), list(OrderLine.objects.values())

    purge()

    assert (list(Order.objects.values()), list(OrderLine.objects.values())) == before


def test_purge_leaves_what_is_open(person):
    purge()

    assert OrderAddress.objects.filter(subject=person.subject).exists()


def test_purge_writes_one_entry_a_person_category_and_model(ended):
    for _ in range(3):
        place(user=ended)
    close_orders(ended, timedelta(days=31))

    run = purge()

    about = Entry.objects.filter(event=Event.DATA_PURGED, object_id=run.pk, fields__contains=["orders.orderaddress.line1"])
    assert [(entry.subject_id, entry.categories) for entry in about] == [(ended.subject_id, ["delivery"])]
    assert entries(Event.PURGE_STARTED, object_id=run.pk) == entries(Event.PURGE_COMPLETED, object_id=run.pk) == 1


def test_purge_changes_nothing_if_the_entry_cannot_be_written(ended):
    run = start_purge(by=JOB, at_once=False)

    with pytest.raises(NotRecordable):
        purge_expired(by=UNWRITABLE, run=run)

    assert OrderAddress.objects.filter(subject=ended.subject).exists()
    run.refresh_from_db()
    assert run.counts == {}


def test_start_purge_changes_nothing_if_the_entry_cannot_be_written(db):
    with pytest.raises(NotRecordable):
        start_purge(by=UNWRITABLE)

    assert not PurgeRun.objects.exists()


def test_start_purge_twice_is_one_run(db):
    assert start_purge(by=JOB, at_once=False).pk == start_purge(by=JOB, at_once=False).pk
    assert entries(Event.PURGE_STARTED) == 1


def test_a_finished_run_deletes_nothing_more(ended):
    run = purge()

    with pytest.raises(RunIsOver):
        purge_expired(by=JOB, run=run)


@pytest.mark.promise("CHANGE-3")
def test_a_killed_run_goes_on_with_complete_numbers(ended, monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 1)
    for _ in range(4):
        place(user=ended)
    close_orders(ended, timedelta(days=31))
    run = start_purge(by=JOB, at_once=False)
    whole, calls = actions._purge_batch, []

    def dies(*args):
        calls.append(args)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return whole(*args)

    monkeypatch.setattr(actions, "_purge_batch", dies)
    with pytest.raises(KeyboardInterrupt):
        perform(run)
    half = PurgeRun.objects.get(pk=run.pk)
    monkeypatch.setattr(actions, "_purge_batch", whole)
    perform(half)

    assert half.counts["orders.orderaddress"] > 0
    assert PurgeRun.objects.get(pk=run.pk).counts["orders.orderaddress"] == 5
    assert entries(Event.PURGE_COMPLETED, object_id=run.pk) == 1


def test_a_rehearsal_counts_and_deletes_nothing(ended):
    run = purge(dry_run=True)

    assert run.counts["orders.orderaddress"] == 1
    assert run.result == PurgeRun.Result.REHEARSED
    assert OrderAddress.objects.filter(subject=ended.subject).exists()


@pytest.mark.promise("CHANGE-4")
def test_a_hold_keeps_rows(ended, monkeypatch):
    monkeypatch.setattr(registry, "_holds", [lambda model, rows: rows.exclude(subject_id=ended.subject_id)])

    purge()

    assert OrderAddress.objects.filter(subject=ended.subject).exists()


@pytest.mark.promise("CHANGE-4")
def test_an_open_request_keeps_rows(ended):
    with unit_of_work():
        request_copy(by=ended.actor, subject=ended.subject)

    purge()

    assert OrderAddress.objects.filter(subject=ended.subject).exists()


@pytest.mark.promise("CHANGE-4")
def test_a_run_after_which_the_books_differ_fails_once(ended, monkeypatch):
    monkeypatch.setattr(registry, "_invariants", {"addresses": OrderAddress.objects.count})

    run = purge()

    assert (run.state, run.result, run.error) == (PurgeRun.State.FAILED, PurgeRun.Result.BROKEN, "InvariantBroken")
    assert entries(Event.PURGE_COMPLETED, object_id=run.pk, outcome="broken") == 1


def test_expired_rows_of_an_account_go(person):
    PendingMailbox.objects.filter(subject=person.subject).update(requested_at=timezone.now() - timedelta(days=2))

    purge()

    assert not PendingMailbox.objects.filter(subject=person.subject).exists()


@pytest.mark.django_db(transaction=True)
def test_purge_passes_by_locked_rows(ended, owner_connection):
    row = OrderAddress.objects.get(subject=ended.subject)
    connection.commit()
    holder = owner_connection()
    with holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM orders_orderaddress WHERE id = %s FOR UPDATE", [str(row.pk)])

        purge()

        assert OrderAddress.objects.filter(pk=row.pk).exists()
    holder.rollback()

    purge()

    assert not OrderAddress.objects.filter(pk=row.pk).exists()


def test_the_command_rehearses(ended):
    out = StringIO()

    call_command("purge_expired", "--dry-run", stdout=out)

    assert "delivery addresses" in out.getvalue()
    assert "would go" in out.getvalue()
    assert OrderAddress.objects.filter(subject=ended.subject).exists()


def test_the_command_purges(ended):
    out = StringIO()

    call_command("purge_expired", stdout=out)

    assert "deleted" in out.getvalue()
    assert not OrderAddress.objects.filter(subject=ended.subject).exists()


def test_the_command_fails_when_the_books_differ(ended, monkeypatch):
    monkeypatch.setattr(registry, "_invariants", {"addresses": OrderAddress.objects.count})

    with pytest.raises(CommandError):
        call_command("purge_expired", stdout=StringIO())


def test_batches_take_few_queries(ended, monkeypatch):
    def one_run(rows):
        for _ in range(rows):
            place(user=ended)
        close_orders(ended, timedelta(days=31))
        run = start_purge(by=Actor.job("purge"), at_once=False)
        return count_queries(lambda: perform(run))

    one_run(1)
    assert one_run(2) == one_run(8)
