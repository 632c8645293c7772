"""Sealed files open whole, in place and for their person, or not at all."""

import io
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacy.declarations.categories import Scope
from privacy.vault import files
from privacy.vault.errors import KeyDestroyed, Unreadable
from privacy.vault.files import SealingWriter, open_file
from privacy.vault.keys import destroy_keys
from privacy.vault.models import Subject


@pytest.fixture
def subject(db):
    return Subject.objects.create()


def seal(parts, subject, file_id):
    out = io.BytesIO()
    writer = SealingWriter(out, file_id=file_id, subject_id=subject.pk)
    for part in parts:
        writer.write(part)
    writer.close()
    assert writer.size == sum(map(len, parts))
    return out.getvalue()


def unseal(sealed, subject, file_id):
    return b"".join(open_file(io.BytesIO(sealed), file_id=file_id, subject_id=subject.pk))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(parts=st.lists(st.binary(max_size=70), max_size=8))
def test_a_file_opens_as_it_was_written(subject, parts):
    whole, chunk = b"".join(parts), files.CHUNK
    files.CHUNK = 64
    try:
        file_id = uuid4()
        assert unseal(seal(parts, subject, file_id), subject, file_id) == whole
    finally:
        files.CHUNK = chunk


@pytest.mark.promise("PROTECT-1")
def test_a_sealed_file_holds_nothing_in_clear(subject):
    assert b"MARKER" not in seal([b"MARKER" * 1000], subject, uuid4())


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize("damage", ["cut", "swapped", "repeated", "changed", "head", "empty"])
def test_a_damaged_file_does_not_open(subject, damage, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 64)
    file_id, size = uuid4(), 64 + 28
    sealed = seal([bytes(64) + b"\1" * 64 + b"\2" * 64], subject, file_id)
    head, chunks = sealed[:17], [sealed[17 + i * size : 17 + (i + 1) * size] for i in range(3)]
    damaged = {
        "cut": head + chunks[0] + chunks[1],
        "swapped": head + chunks[1] + chunks[0] + chunks[2],
        "repeated": head + chunks[0] + chunks[0] + chunks[1] + chunks[2],
        "changed": sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:],
        "head": bytes(17) + sealed[17:],
        "empty": head,
    }[damage]

    with pytest.raises(Unreadable):
        unseal(damaged, subject, file_id)


def test_another_file_or_person_does_not_open(subject):
    file_id, other = uuid4(), Subject.objects.create()
    sealed = seal([b"text"], subject, file_id)
    seal([b"text"], other, file_id)

    for wrong_subject, wrong_file in ((subject, uuid4()), (other, file_id)):
        with pytest.raises(Unreadable):
            unseal(sealed, wrong_subject, wrong_file)


@pytest.mark.promise("RIGHTS-3")
def test_an_erased_persons_file_does_not_open(subject):
    file_id = uuid4()
    sealed = seal([b"text"], subject, file_id)
    destroy_keys(subject.pk, [Scope.ACCOUNT])

    with pytest.raises(KeyDestroyed):
        unseal(sealed, subject, file_id)
