"""What one key may seal, what the cache holds, and how the form of tokens changes: stated and held."""

import os
from pathlib import Path

import pytest
from django.db import connections

from audit.events import Event
from privacy.access.gate import open_access
from privacy.declarations.categories import Scope
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.vault import keys, sealed
from privacy.vault.errors import Unreadable
from privacy.vault.identifiers import uuid7
from privacy.vault.models import SubjectKey
from tests.privacy.vault.fixtures import stored_token, write_token
from tests.privacy.vault.records import Letter, Note, new_customer

JOB = Actor.job("tests")
pytestmark = pytest.mark.promise("PROTECT-1")


# Seals


@pytest.mark.django_db
def test_one_nonce_in_65536_counts_for_all_of_them(monkeypatch):
    key = keys.key_for_sealing(uuid7(), Scope.ACCOUNT)
    nonces = iter([b"\x00\x00" + bytes(10), b"\x00\x01" + bytes(10), b"\x01\x00" + bytes(10), b"\x00\x00" + b"x" * 10])
    monkeypatch.setattr(keys.os, "urandom", lambda size: next(nonces))

    for _ in range(4):
        assert len(keys.fresh_nonce(key)) == 12

    assert SubjectKey.objects.get(pk=key.id).seals == 2 * 65536


@pytest.mark.django_db
def test_counting_costs_no_query_but_the_rare_one(monkeypatch, django_assert_num_queries):
    key = keys.key_for_sealing(uuid7(), Scope.ACCOUNT)
    monkeypatch.setattr(keys.os, "urandom", lambda size: b"\x01" * size)

    with django_assert_num_queries(0, using="vault"):
        for _ in range(100):
            keys.fresh_nonce(key)


def test_every_seal_takes_its_nonce_where_they_are_counted():
    """Values and files alike; nothing else in the vault makes nonces for the keys of people."""
    places = {
        path.name
        for path in Path(sealed.__file__).parent.glob("*.py")
        if "urandom(12)" in (text := path.read_text()) or "urandom(NONCE" in text
    }

    assert places == {"keys.py", "keyrings.py", "epochs.py"}


def test_keys_are_replaced_at_half_of_what_random_nonces_allow(settings):
    assert settings.DATA_KEY_SEALS == 2**32 // 2


# The form of tokens


def first_version(note: Note, name: str, text: str) -> bytes:
    """A token as the first version of the program wrote it: its head bound to nothing."""
    field = Note._meta.get_field(name)
    key = keys.key_for_sealing(note.subject_id, field.scope)
    nonce = os.urandom(12)
    data = field.associated_prefix + note.pk.bytes + note.subject_id.bytes
    return b"\x01" + key.id.bytes + nonce + key.encrypt(nonce, text.encode(), data)


def test_tokens_of_the_first_version_still_open(note, own, django_assert_num_queries):
    write_token(note, "name", first_version(note, "name", "Grace Hopper"))

    with own() as grant:
        read = Note.objects.get(pk=note.pk)
        grant.load([read])
        with django_assert_num_queries(0, using="vault"):
            assert grant.open(read.name) == "Grace Hopper"
        assert grant.open(read.email) == "ada@example.org"


def test_new_tokens_are_of_the_second_version(note):
    assert stored_token(note, "name")[0] == 2


@pytest.mark.parametrize("version", [0, 1, 3, 255])
def test_the_version_of_a_token_cannot_be_changed(note, own, version):
    token = stored_token(note, "name")
    write_token(note, "name", bytes([version]) + token[1:])

    with own() as grant, pytest.raises(Unreadable):
        grant.open(Note.objects.get(pk=note.pk).name)


def test_an_old_token_cannot_be_passed_off_as_a_new_one(note, own):
    old = first_version(note, "name", "Grace Hopper")
    write_token(note, "name", b"\x02" + old[1:])

    with own() as grant, pytest.raises(Unreadable):
        grant.open(Note.objects.get(pk=note.pk).name)


# Damaged keys


def test_one_damaged_key_closes_one_person_and_no_list(policy, work):
    people = [new_customer(Purpose.ORDER) for _ in range(3)]
    with open_access(by=JOB, purpose=Purpose.ORDER, writes=Event.DATA_COLLECTED):
        Letter.objects.bulk_create([Letter(subject=person, name="Ada") for person in people])
    SubjectKey.objects.filter(subject_id=people[1].pk).update(wrapped=b"damaged")
    keys.cache.clear()

    with open_access(by=JOB, purpose=Purpose.ORDER) as grant:
        letters = list(Letter.objects.order_by("pk"))
        grant.load(letters)

        assert [grant.read(letter.name) for letter in letters] == ["Ada", None, "Ada"]


@pytest.mark.django_db
@pytest.mark.parametrize("damage", [{"wrapped": b""}, {"wrapped": bytes(88)}, {"key_version": 9}])
def test_under_a_damaged_key_nothing_opens_and_nothing_is_sealed(damage):
    """It is not taken for an erased person's, and no second key is made beside it."""
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    SubjectKey.objects.filter(subject_id=subject_id).update(**damage)
    keys.cache.clear()

    for use in (keys.key_for_opening, keys.key_for_sealing):
        with pytest.raises(Unreadable):
            use(subject_id, Scope.ACCOUNT)
    assert SubjectKey.objects.filter(subject_id=subject_id).count() == 1


@pytest.mark.django_db
def test_two_current_keys_of_one_owner_are_refused_by_the_database():
    key = keys.key_for_sealing(uuid7(), Scope.ACCOUNT)

    with connections["vault"].cursor() as cursor, pytest.raises(Exception, match="one_current_key_per_owner"):
        cursor.execute(
            "INSERT INTO privacy_subjectkey (id, subject_id, scope, wrapped, key_version, seals, created_at)"
            " SELECT gen_random_uuid(), subject_id, scope, wrapped, key_version, seals, now() FROM privacy_subjectkey WHERE id = %s",
            [key.id],
        )
