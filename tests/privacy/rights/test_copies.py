"""A copy holds everything, for people and for programs, and is sealed until its person opens it."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from privacy.access.gate import unit_of_work
from privacy.declarations.categories import Category
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.retention.walker import record_models
from privacy.rights import copies
from privacy.rights.actions import request_copy, retry_request
from privacy.rights.archive import guarded
from privacy.rights.clocks import answer_due
from privacy.rights.copies import delete_all_copies, download_copy, expire_copies, exports
from privacy.rights.errors import AlreadyRequested, CopyGone, CopyNotReady, NotYourData, TooLate
from privacy.rights.models import ExportJob, Request
from privacy.rights.queries import people_with_open_request
from privacy.vault.fields import sealed_fields
from tests.privacy.rights.people import JOB, UNWRITABLE, disclose_to, entries, new_requests, perform


def ask(user):
    with unit_of_work():
        return request_copy(by=user.actor, subject=user.subject)


def made(user):
    request = ask(user)
    perform(request.export)
    request.refresh_from_db()
    return request


def fetch(user, request):
    with unit_of_work():
        chunks, size = download_copy(by=user.actor, request=request)
    content = b"".join(chunks)
    assert len(content) == size
    return zipfile.ZipFile(io.BytesIO(content))


def marker_values(archive):
    """{(model label, field): {text}} of every personal column."""
    found = {}
    for name in archive.namelist():
        if name.startswith("data/") and name.endswith(".json") and name.count("/") == 2:
            label = name.split("/")[2].removesuffix(".json").replace("_", ".", 1)
            for row in json.loads(archive.read(name)):
                for field, value in row.items():
                    found.setdefault((label, field), set()).add(value if isinstance(value, str) else None)
    return found


@pytest.mark.promise("RIGHTS-1")
def test_a_copy_holds_every_declared_field_but_credentials(person):
    archive = fetch(person, made(person))
    columns = set(marker_values(archive))

    fields = {(model._meta.label_lower, field) for model in record_models() for field in sealed_fields(model)}
    assert {(label, field.name) for label, field in fields if not field.is_credential} <= columns
    assert {(label, field.name) for label, field in fields if field.is_credential} & columns == set()
    assert "Marker Addressee" in marker_values(archive)["orders.orderaddress", "addressee"]
    assert "Marker Name" in marker_values(archive)["accounts.accountdetails", "name"]


@pytest.mark.promise("RIGHTS-1")
def test_a_copy_holds_nothing_of_anybody_else(person, other):
    archive = fetch(person, made(person))

    text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert str(other.subject_id) not in text
    assert other.details.pk.hex not in text.replace("-", "")


def test_a_copy_documents_every_column(person):
    archive = fetch(person, made(person))
    documented = {(line["file"], line["field"]) for line in json.loads(archive.read("data/fields.json"))}

    for name in archive.namelist():
        if name.endswith(".csv"):
            header = next(csv.reader(io.StringIO(archive.read(name).decode())))
            assert {(name.removeprefix("data/"), column) for column in header} <= documented
    personal = [line for line in json.loads(archive.read("data/fields.json")) if line["personal"]]
    assert all(line["label"] and line["category"] and line["purposes"] and line["kept_until"] for line in personal)


def test_csv_and_json_agree(person):
    archive = fetch(person, made(person))
    name = "data/delivery/orders_orderaddress"

    rows = list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))
    plain = json.loads(archive.read(f"{name}.json"))
    assert [row["addressee"] for row in rows] == [row["addressee"] for row in plain]


def test_the_manifests_hold(person):
    archive = fetch(person, made(person))

    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        lines = archive.read(manifest).decode().splitlines()
        for line in lines:
            digest, name = line.split("  ", 1)
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    payload = {name for name in archive.namelist() if name.startswith("data/")}
    assert {line.split("  ", 1)[1] for line in archive.read("manifest-sha256.txt").decode().splitlines()} == payload


def test_a_copy_has_sections_about_decisions_uses_and_recipients(person):
    disclose_to(person)

    archive = fetch(person, made(person))

    assert json.loads(archive.read("data/disclosures.json"))[-1]["recipient"] == "carrier"
    assert any(row["decision"] == "given" for row in json.loads(archive.read("data/permissions.json")))
    assert any(row["who"] == "You" for row in json.loads(archive.read("data/uses.json")))
    assert json.loads(archive.read("data/requests.json"))[-1]["state"] == "in progress"


def test_no_file_name_holds_a_value(person):
    request = made(person)

    assert not any("arker" in name for name in fetch(person, request).namelist())
    assert "arker" not in request.export.file


@pytest.mark.promise("PROTECT-1")
def test_the_stored_file_is_sealed(person):
    request = made(person)

    with exports().open(request.export.file) as file:
        content = file.read()
    assert b"Marker" not in content
    assert not content.startswith(b"PK")


@pytest.mark.promise("USE-3")
def test_making_a_copy_is_entered_once_a_category(person):
    request = made(person)

    opened = Entry.objects.filter(event=Event.DATA_OPENED, case_id=request.pk)
    files = Category.INTERACTION.value  # what was attached to messages is opened in a step of its own
    assert sorted(entry.categories[0] for entry in opened) == sorted([*(category.value for category in Category), files])
    for event in (Event.REQUEST_MADE, Event.REQUEST_STARTED, Event.DATA_EXPORTED, Event.REQUEST_COMPLETED):
        assert entries(event, object_id=request.pk) == 1
    assert OutboundMail.objects.filter(template="rights-copy-ready", subject=person.subject).count() == 1


def test_only_the_person_can_ask(person, other):
    with pytest.raises(NotYourData), unit_of_work():
        request_copy(by=other.actor, subject=person.subject)

    assert not new_requests().exists()


def test_one_open_request_at_a_time(person):
    first = ask(person)

    with pytest.raises(AlreadyRequested) as refused, unit_of_work():
        request_copy(by=person.actor, subject=person.subject)

    assert refused.value.request == first


def test_asking_changes_nothing_if_the_entry_cannot_be_written(person):
    with pytest.raises(NotRecordable), unit_of_work():
        request_copy(by=Actor(Role.CUSTOMER, person.subject_id, name="no token at all"), subject=person.subject)

    assert not new_requests().exists()
    assert not ExportJob.objects.exists()


def test_a_month_to_answer_ends_on_the_last_day_of_a_short_month():
    assert answer_due(datetime(2025, 1, 31, 12, tzinfo=UTC)) == datetime(2025, 2, 28, 12, tzinfo=UTC)
    assert answer_due(datetime(2025, 3, 15, 12, tzinfo=UTC)) == datetime(2025, 4, 15, 12, tzinfo=UTC)


@pytest.mark.promise("RIGHTS-1")
@pytest.mark.parametrize("dies_in", ["_add_category", "_add_sections", "_complete"])
def test_a_killed_worker_is_followed_by_one_that_finishes(person, monkeypatch, dies_in):
    request = ask(person)
    whole, calls = getattr(copies, dies_in), []

    def dies(*args):
        calls.append(args)
        if len(calls) == (3 if dies_in == "_add_category" else 1):
            raise KeyboardInterrupt
        return whole(*args)

    monkeypatch.setattr(copies, dies_in, dies)
    with pytest.raises(KeyboardInterrupt):
        perform(request.export)
    half = ExportJob.objects.get(request=request)
    monkeypatch.setattr(copies, dies_in, whole)
    perform(half)
    request.refresh_from_db()

    assert request.state == Request.State.COMPLETED
    assert not exports().exists(half.file) or half.file == request.export.file
    assert set(exports().listdir("")[1]) >= {ExportJob.objects.get(request=request).file}
    for event in (Event.REQUEST_STARTED, Event.DATA_EXPORTED, Event.REQUEST_COMPLETED):
        assert entries(event, object_id=request.pk) == 1
    assert fetch(person, Request.objects.get(pk=request.pk)).testzip() is None


@pytest.mark.promise("CHANGE-3")
def test_a_file_is_forgotten_only_once_it_is_deleted(person, monkeypatch):
    def dies(*args):
        raise KeyboardInterrupt

    request = ask(person)
    with monkeypatch.context() as at_the_end, pytest.raises(KeyboardInterrupt):
        at_the_end.setattr(copies, "_add_sections", dies)
        perform(request.export)
    job = ExportJob.objects.get(request=request)
    former = job.file
    with monkeypatch.context() as at_deletion, pytest.raises(KeyboardInterrupt):
        at_deletion.setattr(type(exports()), "delete", dies)
        perform(job)
    assert exports().exists(former)

    perform(job)

    assert not exports().exists(former)
    assert exports().exists(job.file)


def test_killed_after_completion_stays_completed(person):
    request = made(person)
    job = ExportJob.objects.get(request=request)
    ExportJob.objects.filter(pk=job.pk).update(state="running", progress=95)

    perform(job)

    assert ExportJob.objects.get(pk=job.pk).file == request.export.file
    assert entries(Event.REQUEST_COMPLETED, object_id=request.pk) == 1


def test_a_copy_that_cannot_be_made_fails_visibly(person, monkeypatch):
    request = ask(person)

    def fails(*args):
        raise OSError

    monkeypatch.setattr(copies, "_add_sections", fails)
    monkeypatch.setattr(ExportJob, "MAX_ATTEMPTS", 1)
    job = perform(request.export)
    request.refresh_from_db()

    assert (request.state, ExportJob.objects.get(pk=job.pk).file) == (Request.State.FAILED, "")
    assert entries(Event.REQUEST_FAILED, object_id=request.pk) == 1
    assert ask(person).pk != request.pk


def test_download_is_entered(person):
    request = made(person)

    fetch(person, request)

    assert entries(Event.EXPORT_DOWNLOADED, object_id=request.pk, actor_id=person.subject_id) == 1


def test_download_refuses_others(person, other):
    request = made(person)

    with pytest.raises(NotYourData), unit_of_work():
        download_copy(by=other.actor, request=request)

    assert entries(Event.EXPORT_DOWNLOADED) == 0


def test_download_refuses_what_is_not_ready(person):
    request = ask(person)

    with pytest.raises(CopyNotReady), unit_of_work():
        download_copy(by=person.actor, request=request)


def test_a_copy_goes_after_seven_days(person):
    request = made(person)
    file = request.export.file
    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert expire_copies() == 1
    assert expire_copies() == 0

    assert not exports().exists(file)
    assert entries(Event.EXPORT_EXPIRED, object_id=request.pk) == 1
    with pytest.raises(CopyGone), unit_of_work():
        download_copy(by=person.actor, request=Request.objects.get(pk=request.pk))


def test_an_expired_copy_cannot_be_downloaded_before_the_purge(person):
    request = made(person)
    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(CopyGone), unit_of_work():
        download_copy(by=person.actor, request=Request.objects.get(pk=request.pk))


def test_deleting_copies_changes_nothing_if_the_entry_cannot_be_written(person):
    request = made(person)

    with pytest.raises(NotRecordable), unit_of_work():
        delete_all_copies(by=UNWRITABLE, subject_id=person.subject_id)

    assert ExportJob.objects.get(request=request).file


def test_the_ground_holds_while_a_copy_waits(person, other):
    made(person)

    assert people_with_open_request([person.subject_id, other.subject_id]) == {person.subject_id}

    ExportJob.objects.update(expires_at=timezone.now())
    assert people_with_open_request([person.subject_id]) == set()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"])
def test_formulas_are_guarded(text):
    assert guarded(text) == f"'{text}"
    assert guarded(f"a{text}") == f"a{text}"


def test_a_copy_is_in_the_language_of_the_request(person):
    request = ask(person)
    Request.objects.filter(pk=request.pk).update(locale="ar")
    perform(ExportJob.objects.get(request=request))

    assert 'dir="rtl"' in fetch(person, Request.objects.get(pk=request.pk)).read("index.html").decode()


def test_retry_needs_failed_work(person):
    with pytest.raises(TooLate), unit_of_work():
        retry_request(by=JOB, request=ask(person))
