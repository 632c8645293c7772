"""Every sealed value of a person is damaged: each page, call, copy and mail still stands, says so, and an alert is raised."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from audit.events import Event
from marketplace.accounts.actions import make_token
from marketplace.accounts.models import AccountDetails
from orders.guests.actions import answer_lookup, request_link
from orders.invoices.models import InvoiceParty
from orders.lifecycle.models import Order, OrderContact
from privacy.access.gate import unit_of_work
from privacy.alerts.models import Alert, AlertKind
from privacy.complaints.models import Ticket, TicketAttachment
from privacy.declarations.categories import Category
from privacy.interface.areas import TokenScope
from privacy.mail.actions import deliver_mail, queue_mail
from privacy.policy.roles import ANONYMOUS, Role
from privacy.retention.walker import record_models
from privacy.rights.actions import request_copy
from privacy.rights.copies import download_copy
from privacy.rights.models import Request
from privacy.vault.fields import sealed_fields
from tests.accounts.people import entries, make_staff, staff_client
from tests.orders import factories
from tests.orders.conftest import partners
from tests.privacy.rights.people import full_person, perform
from tests.rules.test_other_peoples_addresses import addresses

__all__ = ["partners"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-4")]
WORDS = "can no longer be read"
NEEDING_THE_SECRET = {"/account/security/second-step/", "/second-factor/code.svg"}  # of an app that is being set up


@pytest.fixture
def person(partners, owner_connection):
    """A customer with a row of every kind, each value of which has one wrong bit."""
    user = full_person()
    damage(owner_connection("default"), user.subject)
    return user


def damage(owner, subject):
    with owner, owner.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # what is written once is damaged too
        for model in record_models():
            for field in sealed_fields(model):
                column = f'"{field.column}"'
                flipped = f"set_byte({column}, length({column}) - 1, get_byte({column}, length({column}) - 1) # 1)"
                cursor.execute(f'UPDATE "{model._meta.db_table}" SET {column} = {flipped} WHERE subject_id = %s', [subject.pk])


def open_alerts():
    return Alert.objects.filter(kind=AlertKind.VALUE_UNREADABLE, closed_at=None)


def own_paths(user):
    """The address of every page that this person could ask for."""
    order = Order.objects.get(subject=user.subject)
    ticket = Ticket.objects.get(subject=user.subject)
    values = {
        "code": [order.code],
        "request_id": [str(request.pk) for request in Request.objects.filter(subject=user.subject)],
        "record_id": [str(order.addresses.get().pk)],
        "ticket_id": [str(ticket.pk)],
        "attachment_id": [str(TicketAttachment.objects.get(subject=user.subject).pk)],
        "category": list(Category.values),
    }
    for route, names in addresses():
        if names <= values.keys():
            for value in zip(*(values[name] for name in names), strict=False) if names else [()]:
                path = "/" + route
                for name, one in zip(names, value, strict=True):
                    path = re.sub(rf"<\w+:{name}>", one, path)
                yield path


def test_every_page_of_the_person_still_stands(person):
    said, failed = set(), set()
    for path in own_paths(person):
        page = factories.client_of(person).get(path)
        text = b"".join(page).decode(errors="replace")
        if page.status_code >= 500:
            failed.add(path)
            assert "A detail that this needs cannot be read" in text
        if WORDS in text:
            said.add(path)
        assert "Marker " not in text.replace("Marker file", ""), path

    order = Order.objects.get(subject=person.subject)
    assert failed == NEEDING_THE_SECRET
    by_code = {reverse(name, args=[order.code]) for name in ("orders:detail", "orders:invoice", "orders:credit-notes")}
    by_category = {reverse("privacy:category", args=[category]) for category in Category.values}
    plain = {reverse("accounts:overview"), reverse("accounts:details")}
    assert (by_code | by_category | plain) - said == set()


def test_an_alert_is_raised_once_for_each_row_and_outlives_a_failed_page(person):
    details = AccountDetails.objects.get(user=person)

    for _ in range(2):
        factories.client_of(person).get("/account/details/")

    alert = open_alerts().get(about_id=details.pk)
    assert (alert.about_label, alert.subject_id, alert.count) == ("accounts.accountdetails", person.subject_id, 2)


def test_staff_read_the_same_words(partners, owner_connection):
    order = factories.confirmed()
    damage(owner_connection("default"), order.person)
    client = staff_client(make_staff(Role.FULFILLMENT))
    case = reverse("admin:orders_order_change", args=[order.pk])

    masked = client.get(case).content.decode()
    opened = client.post(case, {"_open": "1", "purpose": "dispatch", "reason": "label unreadable"}).content.decode()

    assert WORDS not in masked
    assert '<span dir="ltr" aria-hidden="true">•••••••••</span><span class="visually-hidden">sealed</span>' in masked
    assert WORDS in opened
    assert open_alerts().filter(about_label="orders.orderaddress").count() == 1


def test_calls_answer_null_and_name_the_fields(person):
    order = Order.objects.get(subject=person.subject)
    with unit_of_work():
        _, secret = make_token(by=person.actor, user=person, scopes=list(TokenScope), lasts=timedelta(days=1))
    headers = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}

    account = Client().get("/api/v1/account/details/", **headers)
    bought = Client().get(f"/api/v1/orders/{order.code}/", **headers)

    assert account.json()["name"] is None
    assert account["Unreadable-Fields"] == "email, name"
    assert {"addressee", "email", "line1", "name", "payer"} <= set(bought["Unreadable-Fields"].split(", "))


def test_a_copy_is_made_and_says_it_in_words(person, tmp_path):
    with unit_of_work():
        request = request_copy(by=person.actor, subject=person.subject)
    perform(request.export)
    request.refresh_from_db()

    assert request.state == Request.State.COMPLETED
    with unit_of_work():
        chunks, _ = download_copy(by=person.actor, request=request)
    bag = zipfile.ZipFile(io.BytesIO(b"".join(chunks)))
    text = "".join(bag.read(name).decode(errors="replace") for name in bag.namelist())
    assert WORDS in text
    assert "Marker Name" not in text


def test_a_mail_to_a_damaged_mailbox_is_dropped_and_logged(person):
    with unit_of_work():
        queued = queue_mail(template="accounts-password-changed", subject=person.subject)
    mail.outbox.clear()

    deliver_mail(queued)

    assert mail.outbox == []
    assert entries(Event.MESSAGE_FAILED, object_id=queued.pk, outcome="Unreadable") == 1
    assert open_alerts().filter(about_label="accounts.accountdetails").count() == 1


def test_a_look_up_of_a_damaged_address_fits_nobody(partners, owner_connection):
    order = factories.place_as_guest(email="guest@example.org")
    damage(owner_connection("default"), order.person)
    with unit_of_work():
        lookup = request_link(by=ANONYMOUS, code=order.code, email="guest@example.org", locale="en")

    answer_lookup(lookup=lookup)

    assert not lookup.order
    assert open_alerts().get().about_id == OrderContact.objects.get(order=order).pk


def test_money_that_has_moved_is_billed_although_the_address_is_damaged(partners, owner_connection):
    order = factories.packed(is_paid=False)
    damage(owner_connection("default"), order.person)

    factories.settle(order, "capture")

    assert InvoiceParty.objects.filter(invoice__order=order).count() == 1
    assert open_alerts().exists()
