"""One order through a real worker, the sandbox and its signed messages, from placed to delivered."""

import time

import pytest
from django.conf import settings

from orders.lifecycle.actions import confirm_order
from orders.lifecycle.models import OrderState
from orders.parcels.actions import hand_over_parcel, pack_parcel
from orders.payments.models import LedgerEntry, Outcome, Payment, PaymentState
from privacy.access.gate import unit_of_work
from privacy.jobs.actions import sweep_jobs
from privacy.policy.roles import Role
from privacy.sharing.models import Disclosure, Recipient
from tests.orders.factories import actor, fresh, kinds, operation, parcel_of, place
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

HASTE = {"SANDBOX_RESULT_AFTER": "0.1", "SANDBOX_TRANSIT_AFTER": "0.1", "SANDBOX_DELIVERED_AFTER": "0.5", "SANDBOX_TWICE": "1"}


@pytest.fixture
def hasty_site(live_site):
    recipients = list(Recipient.objects.all())
    for recipient in recipients:
        recipient.webhook_secret = settings.SANDBOX_WEBHOOK_SECRET
    Recipient.objects.bulk_update(recipients, ["webhook_secret"])
    live_site.sandbox.variables |= HASTE
    live_site.sandbox.restart()
    return live_site


def reaches(order, state):
    wait_until(lambda: fresh(order).state == state, f"the order to be {state}")


def beat_once(order):
    """What the timetable does: send again what a killed worker held or what is due now."""
    sweep_jobs()
    time.sleep(1)
    return fresh(order).state


def act(action, **how):
    with unit_of_work():
        action(**how)


def test_order_goes_from_placed_to_delivered(hasty_site):
    order = place()
    reaches(order, OrderState.RECEIVED)
    act(confirm_order, by=actor(Role.SUPPORT), order=order)

    act(pack_parcel, by=actor(Role.FULFILLMENT), parcel=parcel_of(order))
    wait_until(lambda: Payment.objects.get(order=order).state == PaymentState.CAPTURED, "the money to be taken")
    wait_until(lambda: parcel_of(order).labeled_at, "the label")
    act(hand_over_parcel, by=actor(Role.FULFILLMENT), parcel=parcel_of(order))
    reaches(order, OrderState.COMPLETED)

    assert sorted(LedgerEntry.objects.values_list("kind", flat=True)) == ["authorize", "capture"]
    assert kinds(order).count("delivered") == 1
    assert sorted(Disclosure.objects.values_list("recipient__slug", flat=True)) == ["carrier", "payments"]


def test_worker_killed_while_the_bank_keeps_it_waiting_ends_with_one_payment(hasty_site):
    order = place(method="slow")
    wait_until(lambda: operation(order, "authorize").outcome == Outcome.SENDING, "the bank to be asked")

    hasty_site.worker.kill9()
    hasty_site.worker.start()
    wait_until(lambda: beat_once(order) == OrderState.RECEIVED, "the order to be received")

    assert LedgerEntry.objects.count() == 1
    assert Payment.objects.get(order=order).authorized == order.total
