"""Who runs the shop: entered once, changed by new rows, shown on the public pages."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError, connections, transaction
from django.utils import timezone, translation

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from privacy.access.gate import unit_of_work
from privacy.policy import actions
from privacy.policy.actions import change_operator
from privacy.policy.errors import ChangedMeanwhile, RoleMayNot
from privacy.policy.models import OperatorIdentity
from privacy.policy.operator import blocks_of, operator
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject

BY = Actor.job("test")
NAMED = {"name": "Example Shop Ltd", "address": "1 Example Street\n10115 Berlin", "country": "DE", "tax_id": "DE000000000"}
pytestmark = pytest.mark.django_db


def officer() -> Actor:
    return Actor(Role.PRIVACY_OFFICER, Subject.objects.create(kind=Subject.Kind.STAFF).pk)


def test_operator_is_empty_until_somebody_enters_it():
    assert (operator().number, operator().name, operator().lines) == (0, "", [])


def test_change_operator_keeps_what_stood_before_and_who_changed_it():
    change_operator(by=BY, based_on=0, values=NAMED)
    by = officer()

    change_operator(by=by, based_on=1, values={"name": "Other Shop Ltd"})

    assert (operator().name, operator().tax_id, operator().changed_by) == ("Other Shop Ltd", "DE000000000", by.id)
    assert list(OperatorIdentity.objects.values_list("number", "name")) == [(2, "Other Shop Ltd"), (1, "Example Shop Ltd")]


def test_change_operator_records_one_event_with_the_fields_that_changed():
    change_operator(by=BY, based_on=0, values={"name": "Example Shop Ltd", "phone": ""})

    entry = Entry.objects.get(event=Event.OPERATOR_CHANGED)
    assert (entry.fields, entry.object_id) == (["name"], operator().pk)


def test_change_operator_without_a_change_makes_no_row():
    change_operator(by=BY, based_on=0, values=NAMED)

    assert change_operator(by=BY, based_on=1, values=NAMED).number == 1
    assert Entry.objects.filter(event=Event.OPERATOR_CHANGED).count() == 1


def test_change_operator_refuses_a_stale_one():
    change_operator(by=BY, based_on=0, values=NAMED)

    with pytest.raises(ChangedMeanwhile):
        change_operator(by=BY, based_on=0, values={"name": "Overwritten"})

    assert operator().name == "Example Shop Ltd"


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.AUDITOR, Role.CUSTOMER])
def test_change_operator_refuses_other_roles(role):
    with pytest.raises(RoleMayNot):
        change_operator(by=Actor(role), based_on=0, values=NAMED)


@pytest.mark.parametrize(("field", "value"), [("email", "nobody"), ("authority_url", "javascript:alert(1)"), ("name", "n" * 121)])
def test_change_operator_refuses_what_cannot_be_published(field, value):
    with pytest.raises(ValidationError) as refusal:
        change_operator(by=BY, based_on=0, values={field: value})

    assert list(refusal.value.message_dict) == [field]
    assert operator().number == 0


def test_change_operator_changes_nothing_without_its_event(monkeypatch):
    def refuse(*args, **kwargs):
        raise NotRecordable("no log")

    monkeypatch.setattr(actions, "record", refuse)

    with pytest.raises(NotRecordable), transaction.atomic():
        change_operator(by=BY, based_on=0, values=NAMED)

    assert operator().number == 0


@pytest.mark.parametrize("change", [lambda rows: rows.update(name="x"), lambda rows: rows.delete()])
def test_no_identity_is_ever_changed(change):
    change_operator(by=BY, based_on=0, values=NAMED)

    with pytest.raises(DatabaseError, match=r"denied|append-only"), transaction.atomic():
        change(OperatorIdentity.objects.all())


def test_of_two_changes_at_once_one_is_told(transactional_db):
    barrier, refused = threading.Barrier(2), []

    def change(name: str) -> None:
        try:
            with unit_of_work():
                operator()
                barrier.wait(10)
                change_operator(by=BY, based_on=0, values={"name": name})
        except ChangedMeanwhile:
            refused.append(name)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=change, args=[name]) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(refused) == 1
    assert {operator().name, *refused} == {"one", "two"}


def test_setup_site_enters_the_settings_once(settings):
    settings.OPERATOR_NAME, settings.OPERATOR_ADDRESS, settings.OPERATOR_EMAIL = "Shop", "1 Street|Town", "shop@example.com"

    call_command("setup_site", verbosity=0)
    settings.OPERATOR_NAME = "Another"
    call_command("setup_site", verbosity=0)

    assert (operator().number, operator().name, operator().address) == (1, "Shop", "1 Street\nTown")
    assert operator().privacy_email == "shop@example.com"


def test_the_country_is_named_in_the_language_of_the_reader():
    change_operator(by=BY, based_on=0, values=NAMED)

    with translation.override("de"):
        assert operator().lines == ["Example Shop Ltd", "1 Example Street", "10115 Berlin", "Deutschland", "DE000000000"]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("", []),
        ("One.\nStill one.\n\nTwo.", [("paragraph", "One.\nStill one."), ("paragraph", "Two.")]),
        ("# Head\nWords.\r\n\r\nMore.", [("heading", "Head"), ("paragraph", "Words."), ("paragraph", "More.")]),
        ("#\n\n## Deep\nNot # here", [("heading", "Deep"), ("paragraph", "Not # here")]),
    ],
)
def test_blocks_of_finds_headings_and_paragraphs(text, blocks):
    assert blocks_of(text) == blocks


@pytest.mark.promise("CHANGE-5")
@pytest.mark.parametrize("address", ["/imprint/", "/terms/", "/security/"])
def test_public_pages_show_the_operator_or_say_that_nothing_is_entered(client, address):
    empty = client.get(address)
    texts = {"imprint": {"en": "Imprint <b>words</b>"}, "terms": {"de": "# Kopf\nWorte"}}
    change_operator(by=BY, based_on=0, values={**NAMED, **texts, "security_email": "security@example.com"})

    filled = client.get(address).content.decode()

    assert empty.status_code == 200
    wanted = {"/imprint/": "Imprint &lt;b&gt;words&lt;/b&gt;", "/terms/": '<h2 dir="auto">Kopf</h2>', "/security/": "security@example.com"}
    assert wanted[address] in filled
    assert client.post(address).status_code == 405


@pytest.mark.promise("PROTECT-5")
def test_security_txt_follows_rfc_9116(client, settings, time_machine):
    time_machine.move_to(datetime(2030, 3, 1, 12, tzinfo=UTC))
    change_operator(by=BY, based_on=0, values={"security_email": "security@example.com"})

    response = client.get("/.well-known/security.txt")

    lines = dict(line.split(": ", 1) for line in response.content.decode().split("\r\n") if line)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert lines["Contact"] == "mailto:security@example.com"
    assert lines["Canonical"] == f"{settings.SITE_URL}/.well-known/security.txt"
    expires = datetime.fromisoformat(lines["Expires"])
    assert timezone.now() < expires < timezone.now() + timedelta(days=365)


def test_security_txt_is_not_found_without_an_address(client):
    assert client.get("/.well-known/security.txt").status_code == 404
