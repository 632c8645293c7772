"""An erasure: planned, thought over, done once in every order of failure, and proven."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from orders.invoices.models import CreditNote, Invoice, InvoiceParty
from orders.lifecycle.models import Order, OrderAddress, OrderLine
from privacy.access.errors import SubjectErased
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.categories import CATEGORY_SCOPES, Category, Scope
from privacy.declarations.purposes import Purpose
from privacy.jobs.errors import TryLater
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.retention.actions import start_purge
from privacy.retention.walker import erasable_models, is_kept, items, kept_models, record_models
from privacy.rights import erasure, steps
from privacy.rights.actions import begin_erasure, cancel_erasure, request_copy, request_erasure, retry_request, start_due_erasures
from privacy.rights.copies import exports
from privacy.rights.erasure import Blocker, plan_erasure
from privacy.rights.errors import AlreadyRequested, LeftoversFound, NotYourData, TooLate
from privacy.rights.models import ErasureJob, Receipt, Request
from privacy.sharing.models import FollowUp
from privacy.vault.errors import KeyDestroyed
from privacy.vault.fields import sealed_fields
from privacy.vault.keys import key_for_opening, key_for_sealing
from privacy.vault.models import DestroyedKey, Subject, SubjectKey
from tests.privacy.rights.people import JOB, UNWRITABLE, close_orders, disclose_to, entries, mails_sent, new_requests, perform


@pytest.fixture(autouse=True)
def nothing_blocks(monkeypatch):
    monkeypatch.setattr(erasure, "_blockers", [])


def ask(user):
    with unit_of_work():
        return request_erasure(by=user.actor, subject=user.subject)


def think_over(request):
    Request.objects.filter(pk=request.pk).update(effective_at=timezone.now())
    start_due_erasures()
    mails_sent()
    return ErasureJob.objects.get(request=request)


def erase(user):
    """From the request to the receipt."""
    request = ask(user)
    job = think_over(request)
    steps.tell_person(job)
    mails_sent()
    perform(job)
    return Request.objects.get(pk=request.pk)


# Planning and thinking over


@pytest.mark.promise("RIGHTS-3")
def test_the_plan_says_what_goes_and_what_stays(person):
    plan = plan_erasure(person.subject)

    assert {holding.model for holding in plan.goes} == set(erasable_models())
    assert {holding.model for holding in plan.stays} == set(kept_models())
    assert all(holding.model.lifetime.floor.citation and holding.last_leaving for holding in plan.stays)


@pytest.mark.promise("RIGHTS-3")
def test_asking_waits_and_tells_the_person(person, settings):
    request = ask(person)

    assert request.state == Request.State.WAITING
    assert request.effective_at - request.made_at == pytest.approx(settings.ERASURE_COOLING_OFF, abs=timedelta(seconds=5))
    assert start_due_erasures() == 0
    assert OutboundMail.objects.filter(template="rights-erasure-asked", subject=person.subject).count() == 1
    assert entries(Event.REQUEST_MADE, object_id=request.pk) == 1


def test_only_the_person_can_ask(person, other):
    with pytest.raises(NotYourData), unit_of_work():
        request_erasure(by=other.actor, subject=person.subject)


def test_asking_twice_is_refused(person):
    ask(person)

    with pytest.raises(AlreadyRequested):
        ask(person)


def test_asking_changes_nothing_if_the_entry_cannot_be_written(person):
    with pytest.raises(NotRecordable), unit_of_work():
        request_erasure(by=Actor(Role.CUSTOMER, person.subject_id, name="no token at all"), subject=person.subject)

    assert not new_requests().exists()


@pytest.mark.promise("RIGHTS-3")
def test_canceling_keeps_everything(person):
    request = ask(person)

    with unit_of_work():
        cancel_erasure(by=person.actor, request=request)

    request.refresh_from_db()
    Request.objects.filter(pk=request.pk).update(effective_at=timezone.now())
    assert (request.state, start_due_erasures()) == (Request.State.CANCELED, 0)
    assert entries(Event.REQUEST_CANCELED, object_id=request.pk) == 1


def test_canceling_refuses_others_and_what_has_begun(person, other):
    request = ask(person)
    with pytest.raises(NotYourData), unit_of_work():
        cancel_erasure(by=other.actor, request=request)
    think_over(request)

    with pytest.raises(TooLate), unit_of_work():
        cancel_erasure(by=person.actor, request=request)


def test_canceling_changes_nothing_if_the_entry_cannot_be_written(person):
    request = ask(person)

    with pytest.raises(NotRecordable), unit_of_work():
        cancel_erasure(by=Actor(Role.CUSTOMER, person.subject_id, name="no token at all"), request=request)

    request.refresh_from_db()
    assert request.state == Request.State.WAITING


def test_what_is_open_holds_an_erasure_up(person, monkeypatch):
    request = ask(person)
    Request.objects.filter(pk=request.pk).update(effective_at=timezone.now())
    monkeypatch.setattr(erasure, "_blockers", [lambda subject_id: [Blocker("something is open")]])

    assert start_due_erasures() == 0
    assert plan_erasure(person.subject).blockers == [Blocker("something is open")]
    monkeypatch.setattr(erasure, "_blockers", [])
    assert start_due_erasures() == 1
    assert start_due_erasures() == 0


def test_beginning_changes_nothing_if_the_entry_cannot_be_written(person):
    request = ask(person)

    with pytest.raises(NotRecordable):
        begin_erasure(by=UNWRITABLE, request=request)

    request.refresh_from_db()
    assert (request.state, ErasureJob.objects.count()) == (Request.State.WAITING, 0)


# Carrying out


@pytest.mark.promise("RIGHTS-3")
def test_erasure_leaves_no_erasable_row_and_no_key(person):
    before = list(Order.objects.filter(subject=person.subject).values()), list(OrderLine.objects.values())

    request = erase(person)

    assert request.state == Request.State.COMPLETED
    for model in erasable_models():
        assert not model._base_manager.filter(subject=person.subject).exists(), model
    for scope in (*CATEGORY_SCOPES, Scope.LOG):
        with pytest.raises(KeyDestroyed):
            key_for_opening(person.subject_id, scope)
        with pytest.raises(KeyDestroyed):
            key_for_sealing(person.subject_id, scope)
    assert (list(Order.objects.filter(subject=person.subject).values()), list(OrderLine.objects.values())) == before


@pytest.mark.promise("RIGHTS-8")
def test_erasure_leaves_what_the_law_keeps_readable(person):
    erase(person)

    party = InvoiceParty.objects.get(subject=person.subject)
    with unit_of_work(), open_access(by=JOB, purpose=Purpose.LEGAL, subject=person.subject) as grant:
        assert grant.open(party.name)


@pytest.mark.promise("RIGHTS-3")
def test_what_is_copied_is_what_is_erased(person):
    """Floors excepted: the fields that a copy discloses and those that an erasure clears are the same ones."""

    def held():
        return {item.field.path for category in Category for item in items(person.subject_id, category)}

    disclosed = held()
    erase(person)
    kept = {field.path for model in record_models() if is_kept(model) for field in sealed_fields(model)}

    assert disclosed - held() == disclosed - kept
    assert held() == disclosed & kept


@pytest.mark.promise("RIGHTS-3")
def test_the_gate_is_closed_before_the_keys_go(person):
    job = think_over(ask(person))
    names = list(steps._steps())
    assert names.index("person_told") < names.index("gate_closed") < names.index("keys_destroyed") < names.index("rows_deleted")

    steps.take_step(job=job, name="gate_closed", act=steps.close_gate)

    with pytest.raises(SubjectErased), unit_of_work(), open_access(by=JOB, purpose=Purpose.RIGHTS, subject=person.subject):
        pass


@pytest.mark.promise("RIGHTS-3")
@pytest.mark.parametrize("where", ["before the note", "after the note"])
def test_killed_between_any_two_steps_ends_done_once(person, where, monkeypatch):
    request = ask(person)
    job = think_over(request)
    steps.tell_person(job)
    mails_sent()
    disclose_to(person)
    for name, act in steps._steps().items():
        if where == "before the note":
            with pytest.raises(KeyboardInterrupt):
                steps.take_step(job=job, name=name, act=lambda job, act=act: (act(job), kill()))
            assert name not in ErasureJob.objects.get(pk=job.pk).steps
        job = ErasureJob.objects.get(pk=job.pk)
        steps.take_step(job=job, name=name, act=act)
        job = ErasureJob.objects.get(pk=job.pk)
        steps.take_step(job=job, name=name, act=lambda job: kill())

    perform(job)

    assert Request.objects.get(pk=request.pk).state == Request.State.COMPLETED
    assert Receipt.objects.filter(request=request).count() == 1
    for event in (Event.KEY_DESTROYED, Event.DATA_ERASED, Event.REQUEST_STARTED, Event.REQUEST_COMPLETED):
        assert entries(event, object_id=request.pk) == 1, event
    assert FollowUp.objects.filter(subject=person.subject, kind=FollowUp.Kind.ERASURE).count() == 1
    assert OutboundMail.objects.filter(template=steps.MAIL_TEMPLATE, subject=person.subject).count() == 1


def kill():
    raise KeyboardInterrupt


@pytest.mark.promise("RIGHTS-3")
def test_each_step_changes_nothing_if_its_entry_cannot_be_written(person, monkeypatch):
    job = think_over(ask(person))
    monkeypatch.setattr(steps, "ERASER", UNWRITABLE)

    for act in (steps.end_keys, steps.note_deleted, steps.issue_receipt):
        with pytest.raises(NotRecordable):
            steps.take_step(job=job, name="this", act=act)

    assert (ErasureJob.objects.get(pk=job.pk).steps, Receipt.objects.count()) == ({}, 0)


def test_the_last_mail_goes_before_the_mailbox(person):
    job = think_over(ask(person))

    with pytest.raises(TryLater):
        steps.carry_out_erasure(job=job)

    assert Subject.objects.get(pk=person.subject_id).erased_at is None
    assert list(ErasureJob.objects.get(pk=job.pk).steps) == ["person_told"]


def test_a_broken_mail_server_does_not_hold_up_a_right(person):
    job = think_over(ask(person))
    steps.take_step(job=job, name="person_told", act=steps.tell_person)
    OutboundMail.objects.filter(template=steps.MAIL_TEMPLATE).update(queued_at=timezone.now() - timedelta(hours=2))

    steps.carry_out_erasure(job=job)

    assert Receipt.objects.filter(request=job.request).exists()


@pytest.mark.promise("USE-6")
def test_recipients_are_told(person):
    disclose_to(person)

    erase(person)

    assert [f.recipient.slug for f in FollowUp.objects.filter(subject=person.subject, kind=FollowUp.Kind.ERASURE)] == ["carrier"]


def test_copies_go_with_the_person(person):
    with unit_of_work():
        copy = request_copy(by=person.actor, subject=person.subject)
    perform(copy.export)
    file = Request.objects.get(pk=copy.pk).export.file

    erase(person)

    assert not exports().exists(file)


def test_a_copy_under_way_ends(person):
    with unit_of_work():
        copy = request_copy(by=person.actor, subject=person.subject)

    erase(person)

    copy = Request.objects.get(pk=copy.pk)
    assert (copy.state, copy.export.state) == (Request.State.CANCELED, "canceled")


def test_rows_written_behind_the_erasure_are_found(person, monkeypatch):
    job = think_over(ask(person))
    monkeypatch.setattr(steps, "_delete_of", lambda model, job: None)

    with pytest.raises(LeftoversFound):
        steps.search_leftovers(job)


@pytest.mark.promise("RIGHTS-3")
def test_the_receipt_counts_and_names_nobody(person):
    request = erase(person)
    receipt = request.receipt

    assert receipt.counts["orders.orderaddress"] == 1
    assert set(receipt.scopes) == {scope.value for scope in (*CATEGORY_SCOPES, Scope.LOG)}
    assert [line["model"] for line in receipt.kept] == ["orders.invoiceparty", "orders.creditnoteparty"]
    assert all(Entry.objects.filter(pk=entry).exists() for entry in receipt.entries)
    assert len(receipt.entries) == 2


def test_a_person_without_records_loses_the_records_key_at_once(person):
    for model in kept_models():
        model._base_manager.filter(subject=person.subject)._raw_delete("default")

    receipt = erase(person).receipt

    assert receipt.records_ended_at is not None
    assert not SubjectKey.objects.filter(subject_id=person.subject_id).exists()
    assert DestroyedKey.objects.filter(subject_id=person.subject_id, scope=Scope.RECORDS).exists()


@pytest.mark.promise("RIGHTS-8")
def test_when_the_floor_ends_the_erasure_finishes_by_itself(person):
    request = erase(person)
    assert SubjectKey.objects.filter(subject_id=person.subject_id, scope=Scope.RECORDS).exists()
    for papers in (Invoice, CreditNote):
        papers.objects.update(issued_at=timezone.now() - timedelta(days=365 * 10))

    perform(start_purge(by=JOB, at_once=False))

    assert not InvoiceParty.objects.filter(subject=person.subject).exists()
    assert not SubjectKey.objects.filter(subject_id=person.subject_id).exists()
    assert Receipt.objects.get(request=request).records_ended_at is not None
    assert entries(Event.KEY_DESTROYED, object_id=request.pk) == 2


def test_erasing_one_leaves_the_other(person, other):
    erase(person)

    assert OrderAddress.objects.filter(subject=other.subject).exists()
    assert SubjectKey.objects.filter(subject_id=other.subject_id).exists()


def test_failed_work_can_be_tried_again(person):
    job = think_over(ask(person))
    ErasureJob.objects.filter(pk=job.pk).update(state="failed", attempts=20, error="OSError", finished_at=timezone.now())

    with unit_of_work():
        retry_request(by=JOB, request=Request.objects.get(pk=job.request_id))

    assert ErasureJob.objects.get(pk=job.pk).state == "queued"


def test_purge_leaves_a_person_under_erasure_alone(person):
    close_orders(person, timedelta(days=40))
    ask(person)

    perform(start_purge(by=JOB, at_once=False))

    assert OrderAddress.objects.filter(subject=person.subject).exists()


def test_an_order_placed_meanwhile_is_waited_for(person, monkeypatch):
    job = think_over(ask(person))
    monkeypatch.setattr(erasure, "_blockers", [lambda subject_id: [Blocker("something is open")]])

    with pytest.raises(TryLater):
        steps.take_step(job=job, name="gate_closed", act=steps.close_gate)

    assert Subject.objects.get(pk=person.subject_id).erased_at is None
