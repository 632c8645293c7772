"""No entry, no data, whatever shape the data leaves in: a page, a download, a stream, an answer to a program."""

from contextlib import closing

import pytest

from audit.events import Event
from audit.models import Entry
from orders.lifecycle.models import Order
from privacy.access.errors import AccessDenied
from privacy.access.gate import unit_of_work
from privacy.complaints.actions import open_ticket
from privacy.complaints.attachments import CleanFile, open_attachment
from privacy.complaints.models import Ticket, TicketAttachment
from privacy.policy.roles import Role
from privacy.rights.actions import request_copy
from privacy.rights.copies import make_copy
from privacy.vault.identifiers import uuid7
from tests.accounts import people
from tests.orders import factories
from tests.orders.conftest import partners
from tests.rules import canaries, traces
from tests.rules.calls.people import EVERYTHING

__all__ = ["partners"]

pytestmark = pytest.mark.promise("USE-3")


@pytest.fixture(scope="module", autouse=True)
def eyes(django_db_setup, django_db_blocker, test_databases):
    with django_db_blocker.unblock(), traces.installed(test_databases):
        yield


class Customer:
    """Somebody with an order, a file and a copy, at a browser that shows a failure instead of raising it."""

    def __init__(self):
        self.user = people.make_customer(canaries.mailbox(), canaries.NAME, EVERYTHING)
        self.browser = factories.client_of(self.user)
        self.browser.raise_request_exception = False
        factories.received(user=self.user, address=canaries.ADDRESS)
        with unit_of_work():
            files = [CleanFile(canaries.FILE_NAME, TicketAttachment.Kind.TEXT, canaries.FILE_CONTENT)]
            words = {"kind": Ticket.Kind.COMPLAINT, "body": canaries.WORDS, "token": uuid7(), "files": files}
            open_ticket(by=self.user.actor, subject=self.user.subject, **words)
            self.copy = request_copy(by=self.user.actor, subject=self.user.subject)
        make_copy(job=self.copy.export)
        self.sent = TicketAttachment.objects.get(subject_id=self.user.subject_id)


def page(customer):
    return customer.browser.get(f"/account/orders/{Order.objects.get(subject=customer.user.subject).code}/")


def program(customer):
    return customer.browser.get("/api/v1/account/details/")


def stream(customer):
    return customer.browser.get(f"/account/messages/{customer.sent.message.ticket_id}/files/{customer.sent.pk}/")


def download(customer):
    return customer.browser.post(f"/account/requests/{customer.copy.pk}/download/", {"password": people.PASSWORD})


WAYS = {page: Event.DATA_OPENED, program: Event.DATA_OPENED, stream: Event.ATTACHMENT_DOWNLOADED, download: Event.EXPORT_DOWNLOADED}
"""How data leaves, and the entry of it."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
def test_the_entry_is_committed_before_the_first_byte_leaves(leave, owner_connection):
    customer = Customer()
    last = Entry.objects.latest("id").pk

    answer = leave(customer)

    assert answer.status_code == 200
    with owner_connection().cursor() as cursor:  # another connection sees what is committed, and nothing was read yet
        cursor.execute("SELECT count(*) FROM audit_entry WHERE id > %s AND event = %s", [str(last), WAYS[leave].value])
        assert cursor.fetchone()[0] > 0
    with closing(answer):
        assert answer.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
def test_nothing_leaves_when_the_entry_cannot_be_written(leave):
    customer = Customer()

    with traces.broken_log(0):
        answer = leave(customer)

    assert answer.status_code == 500
    assert not answer.streaming
    assert canaries.found_in(answer.content) == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR])
def test_a_refused_file_leaves_its_refusal_and_no_byte(role):
    customer, stranger = Customer(), factories.actor(role)

    with pytest.raises(AccessDenied), unit_of_work():
        open_attachment(by=stranger, attachment=customer.sent, reason="a look")

    refusal = Entry.objects.get(event=Event.DATA_REFUSED, actor_id=stranger.id)
    assert refusal.subject_id == customer.user.subject_id
    assert not Entry.objects.filter(event=Event.ATTACHMENT_DOWNLOADED).exists()
