import smtplib
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.record import Reference
from privacy.access.gate import unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.purposes import Purpose
from privacy.jobs.actions import perform_job
from privacy.jobs.errors import TryLater
from privacy.mail import templates
from privacy.mail.actions import deliver_mail, forget_old_mail, queue_mail
from privacy.mail.errors import MailUnknown
from privacy.mail.models import OutboundMail
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from tests.accounts.people import EMAIL, NAME, TEST, UNWRITABLE, entries, make_customer

pytestmark = pytest.mark.django_db

TEMPLATE = "accounts-password-changed"


class BrokenServer(BaseEmailBackend):
    error: Exception = OSError()

    def send_messages(self, email_messages):
        raise self.error


@pytest.fixture
def person():
    user = make_customer()
    OutboundMail.objects.all().delete()
    return user


@pytest.fixture
def broken_server(settings, request):
    BrokenServer.error = request.param
    settings.EMAIL_BACKEND = "tests.privacy.test_mail.BrokenServer"


def queue(person, template=TEMPLATE, **more):
    with unit_of_work():
        return queue_mail(by=TEST, template=template, subject=person.subject_id, **more)


def test_queue_mail_is_one_row_an_occasion(person):
    about = Reference("orders.order", uuid7())

    first = queue(person, object=about)

    assert queue(person, object=about).pk == first.pk
    assert queue(person, object=about, occasion="2").pk != first.pk
    assert queue(person).pk != first.pk
    assert queue(person).pk == queue(person).pk
    assert OutboundMail.objects.count() == 3
    assert entries(Event.MESSAGE_QUEUED, subject_id=person.subject_id, object_id=first.pk) == 1


def test_queue_mail_refuses_a_mail_that_nobody_declared(person):
    with pytest.raises(MailUnknown):
        queue(person, template="newsletter")


def test_queue_mail_changes_nothing_if_the_event_cannot_be_written(person):
    with pytest.raises(NotRecordable), unit_of_work():
        queue_mail(by=UNWRITABLE, template=TEMPLATE, subject=person.subject_id)

    assert not OutboundMail.objects.exists()


@pytest.mark.promise("COLLECT-5")
def test_every_declared_mail_has_a_purpose_of_the_closed_list():
    assert templates.mail_templates()
    assert {template.purpose for template in templates.mail_templates()} <= set(Purpose)


@pytest.mark.promise("PROTECT-1")
def test_queued_mail_holds_neither_words_nor_address(person):
    stored = str(queue(person).__dict__)

    assert EMAIL not in stored
    assert NAME not in stored


def test_deliver_mail_sends_once_with_one_event(person):
    queued = queue(person)

    perform_job("privacy.outboundmail", queued.pk)
    perform_job("privacy.outboundmail", queued.pk)

    [message] = mail.outbox
    assert message.to == [EMAIL]
    assert message.alternatives[0].mimetype == "text/html"
    assert entries(Event.MESSAGE_SENT, subject_id=person.subject_id, object_id=queued.pk) == 1
    queued.refresh_from_db()
    assert (queued.state, queued.sent_at is not None) == ("done", True)


@pytest.mark.promise("PROTECT-4")
def test_deliver_mail_names_nobody(person):
    deliver_mail(queue(person))

    [message] = mail.outbox
    text = message.subject + message.body + message.alternatives[0].content + str(message.extra_headers)
    assert EMAIL not in text
    assert NAME not in text


@pytest.mark.promise("USE-3")
def test_deliver_mail_records_the_opening_of_the_mailbox(person):
    deliver_mail(queue(person))

    assert entries(Event.DATA_OPENED, subject_id=person.subject_id, purpose="security", actor_name="mail") == 1


def test_deliver_mail_words_it_in_the_language_of_the_person(person):
    deliver_mail(queue(person, locale="ar"))

    assert 'dir="rtl"' in mail.outbox[0].alternatives[0].content


@pytest.mark.promise("RIGHTS-4")
def test_deliver_mail_drops_a_mail_whose_purpose_no_longer_holds(person):
    queued = queue(person, template="accounts-reset")
    with unit_of_work():
        withdraw_consent(by=person.actor, subject=person.subject, purpose=Purpose.ACCOUNT)

    deliver_mail(queued)

    assert mail.outbox == []
    assert entries(Event.MESSAGE_FAILED, outcome="GroundMissing", object_id=queued.pk) == 1


def test_deliver_mail_drops_a_mail_to_somebody_without_a_mailbox(person):
    nobody = Subject.objects.create()
    with unit_of_work():
        queued = queue_mail(by=TEST, template=TEMPLATE, subject=nobody)

    deliver_mail(queued)

    assert entries(Event.MESSAGE_FAILED, outcome="MailboxMissing") == 1


def test_deliver_mail_drops_a_mail_after_three_days(person):
    queued = queue(person)

    with time_machine.travel(timezone.now() + timedelta(days=4)):
        deliver_mail(queued)

    assert entries(Event.MESSAGE_FAILED, outcome="MailOverdone") == 1


REFUSED_NOW = smtplib.SMTPRecipientsRefused({EMAIL: (450, EMAIL.encode())})
REFUSED_FOR_GOOD = smtplib.SMTPRecipientsRefused({EMAIL: (550, EMAIL.encode())})


@pytest.mark.parametrize("broken_server", [OSError(EMAIL), REFUSED_NOW], indirect=True)
def test_deliver_mail_tries_later_and_repeats_nothing_of_the_error(person, broken_server):
    with pytest.raises(TryLater) as caught:
        deliver_mail(queue(person))

    assert EMAIL not in str(caught.value)
    assert caught.value.__suppress_context__
    assert entries(Event.MESSAGE_SENT) == 0


@pytest.mark.parametrize("broken_server", [REFUSED_FOR_GOOD], indirect=True)
def test_deliver_mail_gives_up_when_the_mailbox_does_not_exist(person, broken_server):
    deliver_mail(queue(person))

    assert entries(Event.MESSAGE_FAILED, outcome="MailRefused") == 1


def test_forget_old_mail_deletes_what_ended_a_month_ago(person):
    old = queue(person)
    perform_job("privacy.outboundmail", old.pk)

    assert forget_old_mail() == 0
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert forget_old_mail() == 1
