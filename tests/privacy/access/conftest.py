"""What these tests share stands beside the vault's; and a letter of somebody who agreed to orders."""

import pytest

from audit.events import Event
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from tests.privacy.vault.fixtures import forgotten_keys, note, note_tables, own, policy, subject
from tests.privacy.vault.records import Letter, new_customer

__all__ = ["forgotten_keys", "note", "note_tables", "own", "policy", "subject"]


@pytest.fixture
def letter(policy, db):
    with unit_of_work():
        subject = new_customer()
        with open_access(by=Actor.job("tests"), purpose=Purpose.ORDER, subject=subject, writes=Event.DATA_COLLECTED):
            Letter.objects.create(subject=subject, name="Ada Lovelace")
    return Letter.objects.get(subject=subject)
