"""Fixtures of the rooms below: the notes' tables, a policy in force, a person, and a way to look into the databases."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import connection

from audit.events import Event
from audit.models import Entry
from privacy.access.gate import Grant, open_access
from privacy.declarations.purposes import Purpose
from privacy.policy.actions import publish_policy
from privacy.policy.models import PolicyVersion
from privacy.policy.roles import Actor
from privacy.vault import keys
from privacy.vault.models import Subject
from tests.privacy.vault.records import TABLES, Note, new_customer, person

JOB = Actor.job("tests")


@pytest.fixture(autouse=True)
def forgotten_keys() -> Iterator[None]:
    """No key of another test is in the process."""
    keys.cache.clear()
    yield
    keys.cache.clear()


@pytest.fixture
def note_tables(django_db_setup: None, owner_connection: Callable[[str], Any]) -> None:
    owner = owner_connection("default")
    with owner, owner.cursor() as cursor:
        cursor.execute(TABLES)


@pytest.fixture
def policy(note_tables: None, db: None) -> PolicyVersion:
    """The first policy in force, with all purposes."""
    version = PolicyVersion.objects.order_by("-number").first()
    if version is None:
        words = {"title": "Privacy", "summary": [], "sections": []}
        version = publish_policy(by=JOB, number=1, texts={"en": words}, purposes=list(Purpose))
    return version


@pytest.fixture
def subject(policy: PolicyVersion) -> Subject:
    """A person who agreed to everything that can be agreed to."""
    return new_customer()


@pytest.fixture
def own(subject: Subject) -> Callable[..., AbstractContextManager[Grant]]:
    """`own(Purpose.RIGHTS)` opens the person's own data; RIGHTS covers every category."""

    def open_own(purpose: Purpose = Purpose.RIGHTS, **more: Any) -> AbstractContextManager[Grant]:
        return open_access(by=person(subject), purpose=purpose, subject=subject, **{"writes": Event.DATA_COLLECTED, **more})

    return open_own


@pytest.fixture
def note(work: Any, subject: Subject, own: Any) -> Note:
    """A stored note, read back."""
    with own():
        stored = Note.objects.create(subject=subject, name="Ada Lovelace", email="ada@example.org", street="Main Street 1", body="hello")
    return Note.objects.get(pk=stored.pk)


def stored_token(note: Note, column: str) -> bytes:
    """What stands in the table."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {note._meta.db_table} WHERE id = %s", [note.pk])
        return bytes(cursor.fetchone()[0])


def write_token(note: Note, column: str, token: bytes) -> None:
    """Put a token there as an attacker with the database's rights would."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {note._meta.db_table} SET {column} = %s WHERE id = %s", [token, note.pk])


def entries(event: Event, subject: Subject) -> list[Entry]:
    return list(Entry.objects.filter(event=event, subject_id=subject.pk).order_by("id"))
