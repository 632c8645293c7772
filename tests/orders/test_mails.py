"""News of an order goes to the mailbox given with it, and says nothing of the person in its subject line."""

import pytest
from django.core import mail

from audit.events import Event
from audit.record import Reference
from orders.lifecycle.mails import TEMPLATES
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import deliver_mail, queue_mail
from privacy.mail.models import OutboundMail
from tests.orders.factories import ADDRESS, make_customer, place

pytestmark = pytest.mark.django_db


def deliver(order, template):
    with unit_of_work():
        queued = queue_mail(template=template, subject=order.subject_id, object=Reference.to(order), occasion="test")
    mail.outbox.clear()
    deliver_mail(queued)
    return mail.outbox


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("template", TEMPLATES)
def test_mail_tells_of_the_order_and_not_of_the_person(template):
    order = place(make_customer(name="Marker Buyer"))

    [message] = deliver(order, template)

    assert order.code in message.body
    assert f"/account/orders/{order.code}/" in message.body
    assert not any(value in message.subject + message.body for value in ("Marker Buyer", *ADDRESS.values()))
    assert order.code not in message.subject


@pytest.mark.parametrize("template", TEMPLATES)
def test_mail_is_queued_as_a_row_without_words_or_address(template):
    order = place()
    with unit_of_work():
        queued = queue_mail(template=template, subject=order.subject_id, object=Reference.to(order), occasion="test")

    row = OutboundMail.objects.filter(pk=queued.pk).values().get()

    assert not any("@" in str(value) or "Marker" in str(value) for value in row.values())


def test_mail_lists_what_was_ordered():
    order = place()

    [message] = deliver(order, "orders_placed")

    assert order.lines.get().title in message.body
    assert "€44.90" in message.body


@pytest.mark.promise("RIGHTS-4")
def test_mail_is_not_sent_once_the_permission_is_withdrawn():
    user = make_customer()
    order = place(user)
    with unit_of_work():
        withdraw_consent(by=user.actor, subject=user.subject, purpose=Purpose.ORDER, locale="en")

    assert deliver(order, "orders_shipped") == []


def test_mail_goes_to_the_mailbox_given_with_the_order():
    user = make_customer()
    order = place(user)
    with unit_of_work(), open_access(by=user.actor, purpose=Purpose.ACCOUNT, subject=user.subject, writes=Event.DATA_COLLECTED):
        user.details.email = "new@example.org"
        user.details.save()

    [message] = deliver(order, "orders_shipped")

    assert message.to != ["new@example.org"]
