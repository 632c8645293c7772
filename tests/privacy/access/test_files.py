"""A stored file that is damaged: refused before anything of it leaves, and told to whoever looks after it."""

import io

import pytest

from audit.record import Reference
from privacy.access.files import open_stored_file
from privacy.access.gate import unit_of_work
from privacy.alerts.models import Alert, AlertKind
from privacy.rights.actions import request_copy
from privacy.rights.copies import download_copy, exports
from privacy.vault.errors import Unreadable
from privacy.vault.files import CHUNK, SealingWriter
from privacy.vault.identifiers import uuid7
from tests.accounts.people import EMAIL, PASSWORD, client_of, make_customer
from tests.privacy.rights.people import perform

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-4")]

TWO_CHUNKS = b"a" * (CHUNK + 5)


@pytest.fixture
def user(db):
    return make_customer()


def sealed(user, file_id, plain):
    out = io.BytesIO()
    writer = SealingWriter(out, file_id=file_id, subject_id=user.subject_id)
    writer.write(plain)
    writer.close()
    return bytearray(out.getvalue())


def opening(user, file_id, stored):
    about = Reference("tests.file", file_id)
    return open_stored_file(io.BytesIO(bytes(stored)), about=about, file_id=file_id, subject_id=user.subject_id)


def alerts():
    return list(Alert.objects.filter(kind=AlertKind.VALUE_UNREADABLE).values_list("about_id", flat=True))


def test_a_sound_file_opens_and_nobody_is_told(user):
    file_id = uuid7()

    assert b"".join(opening(user, file_id, sealed(user, file_id, TWO_CHUNKS))) == TWO_CHUNKS
    assert b"".join(opening(user, file_id, sealed(user, file_id, b""))) == b""
    assert not alerts()


@pytest.mark.parametrize("where", [0, 30])
def test_damage_at_the_beginning_is_refused_at_once_and_outlives_the_rollback(user, where):
    file_id = uuid7()
    stored = sealed(user, file_id, TWO_CHUNKS)
    stored[where] ^= 1

    with pytest.raises(Unreadable), unit_of_work():
        opening(user, file_id, stored)

    assert alerts() == [file_id]


def test_damage_further_on_is_told_while_it_streams(user):
    """The request's unit of work has ended by then."""
    file_id = uuid7()
    stored = sealed(user, file_id, TWO_CHUNKS)
    stored[-1] ^= 1
    with unit_of_work():
        chunks = opening(user, file_id, stored)

    assert next(chunks) == b"a" * CHUNK
    with pytest.raises(Unreadable):
        next(chunks)
    assert alerts() == [file_id]


def test_a_damaged_copy_of_ones_data_is_said_to_be_damaged(user):
    with unit_of_work():
        request = request_copy(by=user.actor, subject=user.subject)
    job = perform(request.export)
    with exports().open(job.file, "rb") as file:
        stored = bytearray(file.read())
    stored[-1] ^= 1
    with exports().open(job.file, "wb") as file:
        file.write(stored)

    response = client_of(user, EMAIL).post(f"/account/requests/{request.pk}/download/", {"password": PASSWORD})

    assert response.status_code == 500
    assert "A detail that this needs cannot be read" in response.content.decode()
    assert alerts() == [job.pk]
    with pytest.raises(Unreadable), unit_of_work():
        download_copy(by=user.actor, request=request)
