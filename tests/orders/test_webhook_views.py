"""Messages from outside: signed or refused."""

import json
import time
from uuid import uuid4

import pytest
from django.test import Client

from audit.events import Event
from orders.lifecycle.models import OrderState
from orders.payments.models import WebhookEvent
from orders.webhooks import sign
from privacy.sharing.models import Recipient
from tests.orders.factories import SECRET, entries, fresh, handed_over, operation, parcel_of, place

pytestmark = pytest.mark.django_db


def send(path, message, secret=SECRET, at=None, body=None):
    body = json.dumps(message).encode() if body is None else body
    signature = sign(secret, int(at or time.time()), body)
    client = Client(enforce_csrf_checks=True)
    return client.post(path, body, content_type="application/json", headers={"Webhook-Signature": signature})


def payment_message(order):
    return {"id": str(uuid4()), "type": "authorize.succeeded", "key": str(operation(order, "authorize").pk)}


def test_signed_payment_message_is_taken():
    order = place()

    answer = send("/webhooks/payments/", payment_message(order))

    assert (answer.status_code, answer.content) == (200, b"applied\n")
    assert fresh(order).state == OrderState.RECEIVED


def test_signed_parcel_message_is_taken():
    order = handed_over()
    message = {"id": str(uuid4()), "type": "parcel.delivered", "parcel": str(parcel_of(order).pk)}

    assert send("/webhooks/parcels/", message).content == b"applied\n"
    assert fresh(order).state == OrderState.COMPLETED


def test_same_message_again_is_taken_and_changes_nothing():
    message = payment_message(place())

    answers = [send("/webhooks/payments/", message) for _ in range(2)]

    assert [answer.content for answer in answers] == [b"applied\n", b"repeated\n"]


@pytest.mark.promise("PROTECT-2")
@pytest.mark.parametrize("forged", [{"secret": "guess"}, {"at": time.time() - 3600}, {"at": time.time() + 3600}])
def test_forged_message_is_refused_and_entered(forged):
    order = place()

    answer = send("/webhooks/payments/", payment_message(order), **forged)

    assert answer.status_code == 400
    assert fresh(order).state == OrderState.PENDING_PAYMENT
    assert entries(Event.WEBHOOK_REFUSED) == 1
    assert not WebhookEvent.objects.exists()


def test_message_without_a_signature_is_refused():
    assert Client().post("/webhooks/payments/", b"{}", content_type="application/json").status_code == 400


def test_message_of_a_partner_without_a_secret_is_refused():
    Recipient.objects.update(webhook_secret=None)

    assert send("/webhooks/payments/", {}, secret="").status_code == 400


@pytest.mark.parametrize("path", ["/webhooks/payments/", "/webhooks/parcels/"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff\xfe", b'{"id": 1, "type": [], "key": {}}', b'{"id": "x"}'])
def test_signed_rubbish_is_ignored(path, body):
    answer = send(path, None, body=body)

    assert (answer.status_code, answer.content) == (200, b"unknown\n")


def test_huge_message_is_refused():
    assert send("/webhooks/payments/", None, body=b"x" * 30_000).status_code == 400
