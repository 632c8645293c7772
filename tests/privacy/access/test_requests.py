"""A request is one unit of work, rendering included."""

import pytest
from django.db import connections

from audit.events import Event
from audit.models import Entry
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.vault import keys
from tests.privacy.vault.records import Note, new_customer, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.privacy.access.pages")]


@pytest.fixture
def note(policy, note_tables):
    with unit_of_work():
        subject = new_customer()
        with open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject, writes=Event.DATA_COLLECTED):
            return Note.objects.create(subject=subject, name="Ada Lovelace")


def count(event):
    return Entry.objects.filter(event=event).count()


@pytest.fixture
def quiet(client):
    client.raise_request_exception = False
    return client


@pytest.mark.promise("USE-3")
def test_what_a_late_template_opens_is_recorded(quiet, note):
    response = quiet.get(f"/shows/{note.pk}/")

    assert response.content.decode() == "[Ada Lovelace][••••• •••••]"
    assert count(Event.DATA_OPENED) == 1


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize(("address", "status"), [("breaks", 500), ("500", 500), ("404", 404)])
def test_a_page_that_fails_shows_nothing_and_its_entry_is_rolled_back(quiet, note, address, status):
    response = quiet.get(f"/{address}/{note.pk}/")

    assert response.status_code == status
    assert "Ada" not in response.content.decode()
    assert count(Event.DATA_OPENED) == 0


@pytest.mark.promise("USE-3")
def test_a_refused_page_leaves_one_refusal_and_nothing_else(quiet, note):
    response = quiet.get(f"/refused/{note.pk}/")

    assert response.status_code == 403
    assert "Ada" not in response.content.decode()
    assert count(Event.DATA_REFUSED) == 1
    assert Note.objects.get().code == ""


@pytest.mark.promise("PROTECT-1")
def test_without_the_vault_the_page_says_so(quiet, note, monkeypatch):
    vault = connections["vault"]
    vault.close()
    monkeypatch.setitem(vault.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(vault.settings_dict, "PORT", "1")
    keys.cache.clear()

    response = quiet.get(f"/shows/{note.pk}/")

    vault.close()
    assert response.status_code == 503
    assert "Ada" not in response.content.decode()
    assert count(Event.DATA_OPENED) == 0
