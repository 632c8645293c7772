"""An entry about an erased person says so to whoever reads it: it stands, and nobody is behind it any more."""

import pytest

from audit.actions import integrate_entries
from audit.events import Event
from audit.record import record
from privacy.access.gate import unit_of_work
from privacy.declarations.categories import Scope
from privacy.vault.commitments import VaultKeySource
from privacy.vault.errors import VaultUnavailable
from privacy.vault.keys import destroy_keys
from tests.privacy.access.silences.test_silences import look
from tests.privacy.rights.people import JOB

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("USE-3"), pytest.mark.promise("RIGHTS-3")]

ERASED = "Its proof holds; its content can no longer be tied to a person."


@pytest.fixture
def page_of(reading):
    def page(entry):
        answer = reading.get(f"/admin/audit/entry/{entry.pk}/change/")
        assert answer.status_code == 200
        return answer.content.decode()

    return page


def erase_key(user):
    destroy_keys(user.subject_id, [Scope.LOG])
    with unit_of_work():
        record(Event.KEY_DESTROYED, by=JOB, subject=user.subject_id)


def test_an_entry_whose_key_is_destroyed_shows_as_erased(page_of, buyer, agent):
    entry = look(buyer, agent)
    integrate_entries()
    assert ERASED not in page_of(entry)

    erase_key(buyer)

    assert ERASED in page_of(entry)


def test_an_entry_is_read_while_the_keys_do_not_answer(page_of, buyer, agent, monkeypatch):
    entry = look(buyer, agent)
    integrate_entries()

    def away(self, key_ids):
        raise VaultUnavailable

    monkeypatch.setattr(VaultKeySource, "destroyed_keys", away)

    assert ERASED not in page_of(entry)


def test_what_was_never_tied_to_a_key_of_theirs_is_not_erased(page_of, buyer, agent):
    entry = look(buyer, agent)
    erase_key(buyer)
    integrate_entries()

    assert ERASED not in page_of(entry)
