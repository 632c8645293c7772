"""A person about whom everything is held gets new keys: every value, copy and file opens, under no key of before."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from privacy.access.gate import unit_of_work
from privacy.complaints.attachments import open_attachment
from privacy.complaints.models import TicketAttachment
from privacy.retention.walker import record_models
from privacy.rights.copies import exports
from privacy.vault import key_cache, rotation
from privacy.vault.fields import sealed_fields
from privacy.vault.files import sealed_files_of
from privacy.vault.models import SubjectKey
from tests.privacy.rights.test_copies import fetch, made, marker_values

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-1")]


@pytest.fixture(autouse=True)
def quick_waiting(monkeypatch):
    monkeypatch.setattr(key_cache, "CACHE_SECONDS", 0.0)
    monkeypatch.setattr(rotation, "SETTLES", timedelta())
    key_cache.cache.clear()


def heads(person):
    """The key that each stored value and file of this person names."""
    found = set()
    for model in record_models():
        for record in model._base_manager.filter(subject=person.subject):
            values = [getattr(record, field.name) for field in sealed_fields(model)]
            found |= {value.token[1:17] for value in values if value is not None}
    for file in sealed_files_of(person.subject_id):
        with file.storage.open(file.name, "rb") as source:
            found.add(source.read(17)[1:])
    return found


def test_everything_of_a_person_opens_under_new_keys_and_nothing_needs_an_old_one(person, capsys):
    request = made(person)
    before, copied = heads(person), marker_values(fetch(person, request))
    names = {file.name for file in sealed_files_of(person.subject_id)}

    call_command("rotate_keys", "--subject", str(person.subject_id))

    assert not heads(person) & before
    assert heads(person) <= {pk.bytes for pk in SubjectKey.objects.filter(subject_id=person.subject_id).values_list("pk", flat=True)}
    assert not SubjectKey.objects.filter(retired_at__isnull=False).exists()
    assert marker_values(fetch(person, request)) == copied
    attachment = TicketAttachment.objects.get(subject=person.subject)
    with unit_of_work():
        assert b"".join(open_attachment(by=person.actor, attachment=attachment)[0]) == b"Marker file"
    assert len(names) == 2
    assert not any(file.storage.exists(name) for file in sealed_files_of(person.subject_id) for name in names)
    assert "1 people have new keys." in capsys.readouterr().out


def test_what_a_killed_run_left_beside_a_file_is_written_over(person):
    request = made(person)
    name = request.export.file
    with exports().open(name, "rb") as whole, exports().open(name + ".2", "wb") as half:
        half.write(whole.read(100))
    copied = marker_values(fetch(person, request))

    call_command("rotate_keys", "--subject", str(person.subject_id))

    assert marker_values(fetch(person, request)) == copied
    assert not exports().exists(name)


def test_new_keys_twice_leave_one_file_each(person):
    request = made(person)
    number = len(exports().listdir("")[1])

    for _ in range(2):
        call_command("rotate_keys", "--subject", str(person.subject_id))

    assert len(exports().listdir("")[1]) == number
    assert fetch(person, request).testzip() is None
