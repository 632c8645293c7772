import hmac
import json
from hashlib import sha256

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from audit.commitments import NOBODY, CommitmentKey, KeysAtHand, commitment, content_of, content_sql, leaf_bytes, leaf_hashes
from audit.events import Event
from audit.identifiers import uuid7
from audit.models import Entry
from audit.record import NewEntry, Reference, record_many
from audit.tree import leaf_hash
from tests.audit.conftest import Someone

pytestmark = pytest.mark.promise("USE-3")


@pytest.mark.django_db
def test_content_is_the_same_text_from_python_and_from_the_database(actor):
    job = Someone(role="job", name="retention.purge")
    full = {"subject": uuid7(), "purpose": "dispatch", "categories": ["delivery", "purchase"], "fields": ["a.b", "c-d"]}
    entries = [
        NewEntry(event=Event.PURGE_STARTED, by=job),
        NewEntry(event=Event.DATA_OPENED, by=actor, **full),
        NewEntry(event=Event.DATA_OPENED, by=actor, object=Reference("a.b", uuid7()), case=Reference("c.d", uuid7())),
    ]
    with transaction.atomic():
        ids = record_many(entries)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {content_sql()} FROM audit_entry WHERE id = ANY(%s)", [ids])
        contents = dict(cursor.fetchall())

    assert contents == {entry.id: content_of(entry) for entry in Entry.objects.filter(id__in=ids)}
    assert len(contents) == 3


@pytest.mark.django_db
def test_content_is_canonical_json_of_every_column(actor):
    with transaction.atomic():
        (entry_id,) = record_many([NewEntry(event=Event.DATA_OPENED, by=actor)])

    text = content_of(Entry.objects.get(id=entry_id))

    content = json.loads(text)
    assert set(content) == {field.name for field in Entry._meta.concrete_fields}
    assert text == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_commitment_depends_on_content_and_key():
    made = {commitment(content, key) for content in ("a", "b") for key in (b"1" * 32, b"2" * 32)}

    assert len(made) == 4


@given(st.binary(max_size=700), st.binary(min_size=32, max_size=32))
def test_key_made_ready_commits_as_hmac_does(content, secret):
    key = CommitmentKey(NOBODY, secret)

    assert key.commit(content) == hmac.digest(secret, b"audit entry 1\n" + content, "sha256") == key.commit(content)


def test_keys_at_hand_are_few_and_not_held_for_long(monkeypatch):
    asked = []
    secrets = {uuid7(): b"s" * 32 for _ in range(6)}
    ids = [id.bytes for id in secrets]
    monkeypatch.setattr(KeysAtHand, "SIZE", 4)
    keys = KeysAtHand(lambda wanted: asked.append(wanted) or [(id, id, secrets[id]) for id in wanted])

    assert len([keys.of(ids[:3]), keys.of(ids[:3]), keys.of(ids[3:5])][-1]) == 1 + 2
    assert [len(wanted) for wanted in asked] == [3, 2]
    monkeypatch.setattr(KeysAtHand, "SECONDS", -1.0)
    keys.of(ids[3:5])
    assert len(asked) == 3


def test_hashes_of_many_leaves_are_those_of_each():
    ids, key_ids, committed = [uuid7().bytes for _ in range(3)], [uuid7().bytes, NOBODY, uuid7().bytes], [b"c" * 32] * 3

    single = [leaf_hash(leaf_bytes(id, None if key_id == NOBODY else key_id, b"c" * 32)) for id, key_id in zip(ids, key_ids, strict=True)]

    assert leaf_hashes(ids, key_ids, committed) == single


def test_leaf_binds_the_key_without_naming_it():
    entry_id, key_id, committed = uuid7().bytes, uuid7().bytes, sha256(b"").digest()

    leaf = leaf_bytes(entry_id, key_id, committed)

    assert len(leaf) == 65
    assert key_id not in leaf
    assert leaf != leaf_bytes(entry_id, uuid7().bytes, committed) != leaf_bytes(entry_id, None, committed)
    assert leaf_bytes(entry_id, None, committed) == b"\x01" + entry_id + bytes(16) + committed
