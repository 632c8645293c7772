"""A withdrawal, a freeze or an objection between queueing and running stops the work, whichever job would do it."""

from datetime import timedelta

import pytest
from django.core import mail

from audit.events import Event
from orders.lifecycle.models import OrderAddress
from orders.parcels.models import ParcelOperation
from orders.payments.models import PaymentOperation
from privacy.access.gate import unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.mail.models import OutboundMail
from privacy.retention.actions import start_purge
from privacy.rights.actions import request_copy
from privacy.rights.models import Request
from privacy.rights.restrictions import freeze_data, object_to_use
from privacy.sharing.models import Disclosure
from tests.orders.conftest import outside  # noqa: F401  answers what is asked outside
from tests.orders.factories import make_customer, packed, place
from tests.privacy.rights.people import JOB, close_orders, entries, perform

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("partners", "outside")]


def mail_of_an_order(user):
    place(user=user)
    return OutboundMail.objects.get(subject=user.subject, template="orders_placed")


def payment(user):
    return PaymentOperation.objects.get(payment__order=place(user=user), kind="authorize")


def dispatch(user):
    return ParcelOperation.objects.get(parcel__order=packed(user=user, is_labeled=False), kind="book")


def did_something(user):
    """Something of this person left the house."""
    return bool(mail.outbox) or Disclosure.objects.filter(subject=user.subject).exists()


def withdraw(user, purpose):
    withdraw_consent(by=user.actor, subject=user.subject, purpose=purpose, locale="en")


def freeze(user, purpose):
    freeze_data(by=user.actor, subject=user.subject, categories=list(Category))


def objecting(user, purpose):
    object_to_use(by=user.actor, subject=user.subject, purpose=purpose)


QUEUED = [(mail_of_an_order, Purpose.ORDER), (payment, Purpose.PAYMENT), (dispatch, Purpose.DISPATCH)]


def run(job):
    """Every attempt that a worker would make."""
    for _ in range(type(job).MAX_ATTEMPTS):
        perform(job)


@pytest.mark.parametrize(("queue", "purpose"), QUEUED)
def test_queued_work_is_done_while_nobody_stops_it(queue, purpose):
    user = make_customer()
    job = queue(user)
    before = Disclosure.objects.filter(subject=user.subject).count()

    perform(job)

    assert mail.outbox or Disclosure.objects.filter(subject=user.subject).count() == before + 1


@pytest.mark.promise("RIGHTS-4")
@pytest.mark.promise("USE-1")
@pytest.mark.parametrize("stop", [withdraw, freeze, objecting])
@pytest.mark.parametrize(("queue", "purpose"), QUEUED)
def test_queued_work_that_was_stopped_in_between_reads_nothing(queue, purpose, stop):
    user = make_customer()
    job = queue(user)
    opened = entries(Event.DATA_OPENED, subject_id=user.subject_id)
    with unit_of_work():
        stop(user, purpose)

    run(job)

    assert not did_something(user)
    assert entries(Event.DATA_OPENED, subject_id=user.subject_id) == opened
    refused = entries(Event.DATA_REFUSED, subject_id=user.subject_id, purpose=purpose.value)
    assert refused >= 1


@pytest.mark.promise("RIGHTS-1")
def test_a_copy_that_was_asked_for_is_made_though_everything_is_frozen():
    user = make_customer()
    place(user=user)
    with unit_of_work():
        request = request_copy(by=user.actor, subject=user.subject)
        freeze(user, None)

    perform(request.export)

    assert Request.objects.get(pk=request.pk).state == Request.State.COMPLETED


@pytest.mark.promise("RIGHTS-4")
def test_a_copy_is_not_made_once_its_person_is_gone():
    user = make_customer()
    with unit_of_work():
        request = request_copy(by=user.actor, subject=user.subject)
    type(user.subject).objects.filter(pk=user.subject_id).update(erased_at=request.made_at)

    run(request.export)

    assert Request.objects.get(pk=request.pk).state == Request.State.FAILED
    assert request.export.file == ""


@pytest.mark.promise("CHANGE-4")
def test_a_purge_leaves_what_was_frozen_after_it_was_queued():
    user = make_customer()
    packed(user=user)
    close_orders(user, timedelta(days=400))
    run_of_purge = start_purge(by=JOB, at_once=False)
    with unit_of_work():
        freeze(user, None)

    perform(run_of_purge)

    assert OrderAddress.objects.filter(subject=user.subject).exists()
