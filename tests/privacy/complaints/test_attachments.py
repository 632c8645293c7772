"""Files of messages: sealed at rest, handed out to whoever may, and really gone when their time is over."""

import os
import time
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.models import User
from privacy.access.errors import AccessDenied
from privacy.access.gate import unit_of_work
from privacy.alerts.models import Alert, AlertKind
from privacy.complaints import attachments
from privacy.complaints.attachments import clean_file, delete_ownerless_files, open_attachment
from privacy.complaints.models import PublicMessage, Ticket, TicketAttachment, TicketFile
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from privacy.retention.actions import purge_expired, start_purge
from privacy.rights.actions import request_erasure, start_due_erasures
from privacy.rights.models import ErasureJob, Request
from privacy.vault.errors import Unreadable
from privacy.vault.uploads import FILE_MAX
from tests.privacy.complaints.people import (
    CANARY,
    JOB,
    UNWRITABLE,
    ask,
    client_of,
    entries,
    make_customer,
    person_of,
    picture,
    resolve,
    staff_actor,
    text_file,
)
from tests.privacy.rights.people import mails_sent, perform

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-5")]


def stored(files):
    return [path for path in files.rglob("*") if path.is_file()]


def with_file(user=None, **more):
    ticket = ask(user, files=[text_file()], **more)
    return ticket, TicketAttachment.objects.select_related("file", "message__ticket").get(message__ticket=ticket)


def read(by, attachment, **how):
    with unit_of_work():
        chunks, name = open_attachment(by=by, attachment=attachment, **how)
    return b"".join(chunks), name


@pytest.mark.promise("PROTECT-1")
def test_a_file_is_sealed_under_a_random_name(files):
    ticket, attachment = with_file()

    (path,) = stored(files)
    assert b"Marker" not in path.read_bytes()
    assert "Marker" not in str(path)
    assert ticket.code not in str(path)
    assert "Marker" not in str(attachment.name)
    assert read(person_of(ticket), attachment)[0] == b"Marker text"


@pytest.mark.promise("USE-3")
def test_opening_a_file_is_entered_before_a_byte_is_handed_out():
    ticket, attachment = with_file()

    read(person_of(ticket), attachment)

    assert entries(Event.ATTACHMENT_DOWNLOADED, object_id=attachment.pk, case_id=ticket.pk) == 1
    with pytest.raises(NotRecordable), unit_of_work():
        open_attachment(by=type(UNWRITABLE)(Role.JOB, name=UNWRITABLE.name), attachment=attachment)


def test_the_name_of_a_download_says_nothing_about_the_person():
    ticket, attachment = with_file()

    name = read(person_of(ticket), attachment)[1]

    assert name.startswith(ticket.code)
    assert name.endswith(".txt")
    assert "Marker" not in name


def test_a_file_of_another_person_or_place_does_not_open(files):
    ticket, attachment = with_file()
    _other, theirs = with_file()
    attachments.attachments().delete(attachment.file.name)
    (path,) = stored(files)
    (files / attachment.file.name).parent.mkdir(parents=True, exist_ok=True)
    (files / attachment.file.name).write_bytes(path.read_bytes())

    with pytest.raises(Unreadable):
        read(person_of(ticket), attachment)
    with pytest.raises(AccessDenied):
        read(person_of(ticket), theirs)


@pytest.mark.parametrize("role", [Role.FULFILLMENT, Role.AUDITOR, Role.ADMINISTRATOR])
def test_staff_without_the_purpose_open_no_file(role):
    _ticket, attachment = with_file()

    with pytest.raises(AccessDenied):
        read(staff_actor(role), attachment, reason="a look")


def test_staff_say_why():
    _ticket, attachment = with_file()

    with pytest.raises(AccessDenied):
        read(staff_actor(Role.SUPPORT), attachment)
    assert read(staff_actor(Role.SUPPORT), attachment, reason="asked for it")[0] == b"Marker text"


# Going


@pytest.mark.promise("CHANGE-3")
def test_a_purge_a_year_after_closing_takes_words_names_and_files(files):
    ticket, _attachment = with_file()
    resolve(ticket)
    now = timezone.now()

    def purge_with_closed(ago):
        Ticket.objects.update(state="closed", reopen_until=None, resolved_at=now - ago, closed_at=now - ago)
        TicketFile.objects.update(stored_at=now - timedelta(days=1))
        purge_expired(by=JOB, run=start_purge(by=JOB, at_once=False))
        return PublicMessage.objects.count(), TicketAttachment.objects.count(), len(stored(files))

    assert purge_with_closed(timedelta(days=364)) == (2, 1, 1)
    type(start_purge(by=JOB, at_once=False)).objects.update(state="done")
    assert purge_with_closed(timedelta(days=367)) == (0, 0, 0)
    assert Ticket.objects.get().outcome == "upheld"


@pytest.mark.promise("CHANGE-4")
def test_a_purge_leaves_what_an_open_ticket_needs():
    from privacy.complaints.registrations import open_tickets

    ticket = ask()
    messages = PublicMessage.objects.all()

    assert not open_tickets(PublicMessage, messages).exists()
    resolve(ticket)
    assert open_tickets(PublicMessage, messages).count() == 2


@pytest.mark.promise("RIGHTS-3")
def test_an_erasure_waits_for_the_answer_and_then_takes_everything(files, partners):
    user = make_customer()
    ticket, attachment = with_file(user)
    with unit_of_work():
        request_erasure(by=user.actor, subject=user.subject)
    Request.objects.update(effective_at=timezone.now())
    assert start_due_erasures() == 0

    resolve(ticket)
    assert start_due_erasures() == 1
    job = ErasureJob.objects.get()
    perform(job)
    mails_sent()
    perform(job)

    job.refresh_from_db()
    assert job.state == "done", job.error
    assert stored(files) == []
    assert not PublicMessage.objects.exists()
    assert not TicketAttachment.objects.exists()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.outcome) == ("closed", "upheld")
    assert entries(Event.TICKET_CLOSED, subject_id=ticket.subject_id) == 1
    assert attachment.pk
    assert User.objects.filter(subject=user.subject).exists()


def test_files_that_nobody_knows_go_after_a_day(files):
    _ticket, attachment = with_file()
    folder = files / "zz"
    folder.mkdir()
    for name, age in (("old.sealed", 90_000), ("new.sealed", 60)):
        (folder / name).write_bytes(b"noise")
        os.utime(folder / name, (time.time() - age, time.time() - age))

    assert delete_ownerless_files() == 1
    assert sorted(path.name for path in stored(files)) == sorted([attachment.file.name.split("/")[1], "new.sealed"])


def test_a_file_whose_row_went_goes(files):
    _ticket, attachment = with_file()
    TicketAttachment.objects.all().delete()
    assert delete_ownerless_files() == 0  # it may belong to a request under way

    TicketFile.objects.update(stored_at=timezone.now() - timedelta(hours=1))

    assert delete_ownerless_files() == 1
    assert stored(files) == []
    assert not TicketFile.objects.filter(pk=attachment.file_id).exists()


# On pages


@pytest.fixture
def sent():
    """(browser of the person, address of their file)"""
    user = make_customer()
    ticket = ask(user, files=[clean_file("Marker holiday.jpg", picture())])
    attachment = TicketAttachment.objects.get(message__ticket=ticket)
    return client_of(user), f"/account/messages/{ticket.pk}/files/{attachment.pk}/"


@pytest.mark.promise("PROTECT-3")
def test_a_download_is_saved_and_never_run(sent):
    client, address = sent

    response = client.get(address)

    assert b"".join(response.streaming_content).startswith(b"\xff\xd8\xff")
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Disposition"].startswith("attachment; ")
    assert "Marker" not in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.promise("PROTECT-3")
def test_another_persons_file_is_not_found(sent):
    _client, address = sent
    other = make_customer()
    own = ask(other)

    assert client_of(other).get(address).status_code == 404
    assert client_of(other).get(f"/account/messages/{own.pk}/files/{address.split('/')[-2]}/").status_code == 404


def test_a_lost_file_is_said_to_be_lost(sent, files):
    client, address = sent
    for path in stored(files):
        path.unlink()

    response = client.get(address, follow=True)

    assert response.status_code == 200
    assert "can no longer be read" in response.content.decode()


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("where", [0, 40, -1])
def test_a_damaged_file_is_said_to_be_damaged_and_raises_an_alert(sent, files, where):
    client, address = sent
    (path,) = stored(files)
    spoiled = bytearray(path.read_bytes())
    spoiled[where] ^= 1
    path.write_bytes(spoiled)

    response = client.get(address, follow=True)

    assert response.status_code == 200
    assert "can no longer be read" in response.content.decode()
    alert = Alert.objects.get(kind=AlertKind.VALUE_UNREADABLE)
    assert (alert.about_label, alert.about_id) == ("privacy.ticketattachment", TicketAttachment.objects.get().pk)


def upload(*files, body=CANARY):
    user = make_customer()
    data = {"kind": "question", "body": body, "token": "2a9c6f3e-1111-4222-8333-444455556666", "files": list(files)}
    return client_of(user).post("/account/messages/new/", data)


def test_an_upload_is_kept(files):
    assert upload(SimpleUploadedFile("a.txt", b"words"), SimpleUploadedFile("b.png", picture("PNG"))).status_code == 302
    assert len(stored(files)) == TicketAttachment.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"a" * (FILE_MAX + 1), "larger than 5 MB"), (b"", "empty"), (b"MZ\x90\x00", "something else"), (b"%PDF-1.4 no", "damaged")],
)
def test_an_upload_that_we_do_not_take_loses_no_word(content, why, files):
    response = upload(SimpleUploadedFile("a.jpg", content, content_type="image/jpeg"))

    page = response.content.decode()
    assert response.status_code == 422
    assert why in page
    assert CANARY in page
    assert stored(files) == []
    assert not Ticket.objects.exists()


def test_six_uploads_are_one_too_many():
    page = upload(*[SimpleUploadedFile(f"{number}.txt", b"words") for number in range(6)])

    assert page.status_code == 422
    assert "at most 5 files" in page.content.decode()


@pytest.mark.promise("PROTECT-1")
def test_no_upload_is_written_to_a_disk_in_clear(monkeypatch):
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryUploadedFile", None)

    assert upload(SimpleUploadedFile("a.txt", b"a" * FILE_MAX)).status_code == 302


def test_purpose_of_a_file_is_that_of_its_reader():
    ticket, attachment = with_file(kind=Ticket.Kind.MISUSE)
    officer = staff_actor(Role.PRIVACY_OFFICER)

    assert read(officer, attachment, purpose=Purpose.RIGHTS, reason="looking into it")[0] == b"Marker text"
    assert entries(Event.DATA_OPENED, actor_id=officer.id, case_id=ticket.pk, purpose="rights") == 1
