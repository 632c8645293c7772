import json
from hashlib import sha256

import pytest
from django.db import connection, transaction

from audit.commitments import commitment, content_of, content_sql, leaf_bytes
from audit.events import Event
from audit.identifiers import uuid7
from audit.models import Entry
from audit.record import NewEntry, Reference, record_many
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


def test_leaf_binds_the_key_without_naming_it():
    entry_id, key_id, committed = uuid7().bytes, uuid7().bytes, sha256(b"").digest()

    leaf = leaf_bytes(entry_id, key_id, committed)

    assert len(leaf) == 65
    assert key_id not in leaf
    assert leaf != leaf_bytes(entry_id, uuid7().bytes, committed) != leaf_bytes(entry_id, None, committed)
    assert leaf_bytes(entry_id, None, committed) == b"\x01" + entry_id + bytes(16) + committed
