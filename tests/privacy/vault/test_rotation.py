"""Keys are replaced while the site runs: nothing is lost, nothing stays behind, and a killed run is repeated."""

import base64
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings as settings_of_the_site
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.categories import CATEGORY_SCOPES, Scope
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.rights.tasks import finish_renewals
from privacy.vault import epochs, key_cache, keyrings, keys, rotation
from privacy.vault.errors import KeyDestroyed, Unreadable
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Clearing, DestroyedKey, KeyEncryptionKey, SubjectKey
from tests.databases import slot_environment
from tests.privacy.vault.fixtures import stored_token, write_token
from tests.privacy.vault.records import Letter, Note, new_customer, person
from tests.settings import ROOT

JOB = Actor.job("tests")
pytestmark = pytest.mark.promise("PROTECT-1")


@pytest.fixture(autouse=True)
def quick_waiting(monkeypatch):
    monkeypatch.setattr(key_cache, "CACHE_SECONDS", 0.2)
    monkeypatch.setattr(rotation, "SETTLES", timedelta())


@pytest.fixture
def notes_are_declared(monkeypatch):
    """The product's registry does not know the tests' models."""
    monkeypatch.setattr(rotation, "personal_models", lambda: [Note, Letter])


@pytest.fixture
def crowd(transactional_db):
    """Thirty keys of other people."""
    people = [uuid7() for _ in range(30)]
    keys.make_keys((subject_id, Scope.ACCOUNT) for subject_id in people)
    return people


@pytest.fixture
def second_version(settings):
    """The operator adds a version of the key-encryption key."""
    settings.KEY_ENCRYPTION_KEYS = {**settings.KEY_ENCRYPTION_KEYS, 2: AESGCM.generate_key(256)}
    keyrings.key_ring.cache_clear()
    epochs.forget_secrets()
    yield
    keyrings.key_ring.cache_clear()
    epochs.forget_secrets()


@pytest.fixture
def kept(transactional_db, policy):
    """A committed note of a person, whose five values are known."""
    with unit_of_work():
        subject = new_customer()
        with open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject, writes=Event.DATA_COLLECTED):
            return Note.objects.create(subject=subject, name="Ada Lovelace", email="ada@example.org", street="Main Street 1", body="hello")


def texts(note: Note) -> list[str]:
    with unit_of_work(), open_access(by=person(note.subject), purpose=Purpose.RIGHTS, subject=note.subject) as grant:
        read = Note.objects.get(pk=note.pk)
        return [grant.open(getattr(read, name)) for name in ("name", "email", "street", "body")]


VALUES = ["Ada Lovelace", "ada@example.org", "Main Street 1", "hello"]


def said_of(event):
    return list(Entry.objects.filter(event=event).order_by("at", "id").values_list("outcome", flat=True))


def key_rows(subject_id, **how):
    return {row.scope: row for row in SubjectKey.objects.filter(subject_id=subject_id, **how)}


# Locking anew


def test_every_key_is_locked_with_the_current_version_and_no_row_of_data_changes(kept, second_version):
    before = {name: stored_token(kept, name) for name in ("name", "email", "street", "body")}
    total = SubjectKey.objects.count()
    said: list[str] = []

    number = rotation.rewrap_keys(by=JOB, say=said.append)

    assert number == total
    assert set(SubjectKey.objects.values_list("key_version", flat=True)) == {2}
    assert {name: stored_token(kept, name) for name in before} == before
    assert said[-1] == f"{number:,} of {number:,} keys"
    keys.cache.clear()
    assert texts(kept) == VALUES
    assert said_of(Event.KEYS_REWRAPPED) == ["begun", "ok"]
    assert KeyEncryptionKey.objects.filter(version=2).exists()


def test_afterwards_the_old_version_is_not_needed_any_more(kept, second_version, settings):
    rotation.rewrap_keys(by=JOB)

    settings.KEY_ENCRYPTION_KEYS = {2: settings.KEY_ENCRYPTION_KEYS[2]}
    keyrings.key_ring.cache_clear()
    epochs.forget_secrets()
    keys.cache.clear()

    assert texts(kept) == VALUES


def test_locking_anew_twice_changes_nothing_more(kept, second_version):
    rotation.rewrap_keys(by=JOB)
    wrapped = list(SubjectKey.objects.order_by("pk").values_list("wrapped", flat=True))

    assert rotation.rewrap_keys(by=JOB) == 0
    assert [bytes(one) for one in SubjectKey.objects.order_by("pk").values_list("wrapped", flat=True)] == [bytes(one) for one in wrapped]
    assert said_of(Event.KEYS_REWRAPPED) == ["begun", "ok"]


def test_a_run_that_stopped_before_it_could_say_so_is_ended_by_the_next(kept, second_version):
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rewrap_keys(by=JOB, say=stop)
    assert not SubjectKey.objects.exclude(key_version=2).exists()
    assert said_of(Event.KEYS_REWRAPPED) == ["begun"]

    assert rotation.rewrap_keys(by=JOB) == 0

    assert said_of(Event.KEYS_REWRAPPED) == ["begun", "begun", "ok"]


def test_a_run_that_stops_in_the_middle_goes_on_where_it_was(kept, crowd, second_version, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 5)

    def stop(line: str) -> None:
        if not line.startswith("5 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rewrap_keys(by=JOB, say=stop)
    assert SubjectKey.objects.filter(key_version=2).count() == 10
    rotation.rewrap_keys(by=JOB)

    assert not SubjectKey.objects.exclude(key_version=2).exists()
    assert texts(kept) == VALUES


def test_two_runs_at_once_share_the_work(kept, crowd, second_version, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 3)
    total, done = SubjectKey.objects.count(), []

    def run() -> None:
        try:
            done.append(rotation.rewrap_keys(by=JOB))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sum(done) >= total
    assert not SubjectKey.objects.exclude(key_version=2).exists()
    keys.cache.clear()
    assert texts(kept) == VALUES


def test_a_damaged_key_is_told_and_stops_nobody_else(kept, crowd, second_version):
    broken = SubjectKey.objects.get(subject_id=crowd[0])
    SubjectKey.objects.filter(pk=broken.pk).update(wrapped=b"damaged")
    said: list[str] = []

    rotation.rewrap_keys(by=JOB, say=said.append)

    assert said[-1] == "1 keys are damaged and stay as they are"
    assert list(SubjectKey.objects.exclude(key_version=2).values_list("pk", flat=True)) == [broken.pk]


# New keys for a person


def test_a_person_gets_new_keys_and_everything_is_sealed_anew(kept, notes_are_declared):
    old = key_rows(kept.subject_id)
    tokens = {name: stored_token(kept, name) for name in ("name", "email", "street", "body")}

    assert rotation.renew_keys([kept.subject_id], by=JOB) == 1

    new = key_rows(kept.subject_id)
    assert {scope for scope in new if new[scope].pk != old[scope].pk} == set(old) - {Scope.LOG}
    assert not SubjectKey.objects.filter(retired_at__isnull=False).exists()
    for name, token in tokens.items():
        assert stored_token(kept, name)[:17] != token[:17]
    assert texts(kept) == VALUES
    assert said_of(Event.KEYS_RENEWED) == ["begun", "ok"]
    assert not DestroyedKey.objects.filter(subject_id=kept.subject_id).exists()


def test_only_what_is_old_enough_is_replaced(kept, notes_are_declared):
    SubjectKey.objects.filter(subject_id=kept.subject_id, scope=Scope.DELIVERY).update(created_at=timezone.now() - timedelta(days=800))
    old = key_rows(kept.subject_id)
    before = timezone.now() - timedelta(days=730)

    assert list(rotation.due_people(before)) == [[kept.subject_id]]
    rotation.renew_keys([kept.subject_id], by=JOB, before=before)

    new = key_rows(kept.subject_id)
    assert {scope for scope in new if new[scope].pk != old[scope].pk} == {Scope.DELIVERY}
    assert texts(kept) == VALUES
    assert list(rotation.due_people(before)) == []


def test_a_key_that_sealed_too_much_is_due_whatever_its_age(kept, settings):
    SubjectKey.objects.filter(subject_id=kept.subject_id, scope=Scope.ACCOUNT).update(seals=settings.DATA_KEY_SEALS)

    assert list(rotation.due_people(timezone.now() - timedelta(days=730))) == [[kept.subject_id]]


def test_both_keys_open_until_the_end(kept, notes_are_declared):
    rotation._retire_keys(kept.subject_id, timezone.now())

    assert texts(kept) == VALUES  # sealed under the old keys, opened by a process that knows the new ones
    keys.cache.clear()
    assert texts(kept) == VALUES


def test_a_process_that_still_holds_the_old_key_reads_what_the_new_one_sealed(kept, notes_are_declared):
    stale = {scope: keys.key_for_opening(kept.subject_id, scope) for scope in (Scope.ACCOUNT, Scope.DELIVERY, Scope.INTERACTION)}
    rotation._retire_keys(kept.subject_id, timezone.now())
    rotation._reseal(kept.subject_id, JOB)
    for scope, key in stale.items():
        keys.cache.put(kept.subject_id, scope, key)

    assert texts(kept) == VALUES


def test_a_run_killed_anywhere_is_finished_by_the_next(kept, notes_are_declared):
    """After retiring; after sealing anew; in the middle of it: one column of the row under each key."""
    rotation._retire_keys(kept.subject_id, timezone.now())
    retired = set(SubjectKey.objects.filter(retired_at__isnull=False).values_list("pk", flat=True))
    new = set(SubjectKey.objects.filter(retired_at=None).values_list("pk", flat=True))
    old_name = stored_token(kept, "name")
    rotation._reseal(kept.subject_id, JOB)
    write_token(kept, "name", old_name)
    keys.cache.clear()

    assert rotation.unfinished_people() == [kept.subject_id]
    assert rotation.renew_keys(rotation.unfinished_people(), by=JOB) == 1

    assert texts(kept) == VALUES
    assert not SubjectKey.objects.filter(pk__in=retired).exists()
    assert set(SubjectKey.objects.filter(retired_at=None).values_list("pk", flat=True)) == new, "no third key was made"
    assert rotation.unfinished_people() == []


def test_old_keys_go_only_when_the_log_says_so(kept, notes_are_declared, monkeypatch):
    """Stopped between the two, the next run says it again and lets them go."""

    def stop() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping, pytest.raises(KeyboardInterrupt):
        stopping.setattr(rotation, "owe_clearing", stop)
        rotation.renew_keys([kept.subject_id], by=JOB)
    assert rotation.unfinished_people() == [kept.subject_id]
    assert said_of(Event.KEYS_RENEWED) == ["begun", "ok"]

    rotation.renew_keys(rotation.unfinished_people(), by=JOB, before=timezone.now() - timedelta(days=1))

    assert rotation.unfinished_people() == []
    assert said_of(Event.KEYS_RENEWED) == ["begun", "ok", "ok"]


def test_the_beat_finishes_what_was_left_behind_and_begins_nothing(kept, crowd, notes_are_declared):
    rotation._retire_keys(kept.subject_id, timezone.now())
    before = set(SubjectKey.objects.filter(retired_at=None).values_list("pk", flat=True))

    finish_renewals()
    assert rotation.unfinished_people() == [kept.subject_id], "somebody may still be at it"
    SubjectKey.objects.filter(retired_at__isnull=False).update(retired_at=timezone.now() - timedelta(hours=2))
    finish_renewals()

    assert rotation.unfinished_people() == []
    assert set(SubjectKey.objects.values_list("pk", flat=True)) == before
    keys.cache.clear()
    assert texts(kept) == VALUES
    assert said_of(Event.KEYS_RENEWED) == ["ok"]
    assert settings_of_the_site.CELERY_BEAT_SCHEDULE["finish_renewals"]["task"] == finish_renewals.name


def test_replaced_keys_are_cleared_from_the_files(kept, notes_are_declared):
    rotation.renew_keys([kept.subject_id], by=JOB)

    assert Clearing.objects.exists()


def test_what_is_written_with_the_old_key_meanwhile_is_taken_along(kept, notes_are_declared, monkeypatch):
    """A transaction that sealed before the key was replaced commits after the first pass."""
    sealed, may_commit, waited = threading.Event(), threading.Event(), []
    other = []

    def write() -> None:
        try:
            with (
                unit_of_work(),
                open_access(by=person(kept.subject), purpose=Purpose.RIGHTS, subject=kept.subject, writes=Event.DATA_COLLECTED),
            ):
                other.append(Note.objects.create(subject=kept.subject, name="Late", street="", body="written late"))
                sealed.set()
                may_commit.wait(timeout=20)
        finally:
            connections.close_all()

    def let_commit(until) -> None:
        waited.append(until)
        may_commit.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert sealed.wait(timeout=20)
    monkeypatch.setattr(rotation.time, "sleep", let_commit)

    rotation.renew_keys([kept.subject_id], by=JOB)
    writer.join(timeout=20)

    assert waited
    assert texts(other[0]) == ["Late", "", "", "written late"]


def test_the_end_waits_for_transactions_that_are_open(kept, notes_are_declared, monkeypatch):
    """Without waiting the value of a slow transaction would be sealed under a key that is gone."""
    begun, may_end = threading.Event(), threading.Event()

    def dawdle() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM privacy_subject")
                begun.set()
                may_end.wait(timeout=20)
        finally:
            connections.close_all()

    thread, renewing = threading.Thread(target=dawdle), threading.Thread(target=renew_in_thread, args=(kept.subject_id,))
    thread.start()
    assert begun.wait(timeout=20)
    renewing.start()
    renewing.join(timeout=2)

    assert renewing.is_alive()
    assert SubjectKey.objects.filter(retired_at__isnull=False).exists()
    may_end.set()
    renewing.join(timeout=20)
    thread.join(timeout=20)
    assert not SubjectKey.objects.filter(retired_at__isnull=False).exists()


def renew_in_thread(subject_id) -> None:
    try:
        rotation.renew_keys([subject_id], by=JOB)
    finally:
        connections.close_all()


def test_a_damaged_value_keeps_the_old_key_of_its_person(kept, notes_are_declared):
    token = bytearray(stored_token(kept, "name"))
    token[-1] ^= 1
    write_token(kept, "name", bytes(token))

    assert rotation.renew_keys([kept.subject_id], by=JOB) == 0

    assert SubjectKey.objects.filter(subject_id=kept.subject_id, retired_at__isnull=False).exists()
    with unit_of_work(), open_access(by=person(kept.subject), purpose=Purpose.RIGHTS, subject=kept.subject) as grant:
        read = Note.objects.get(pk=kept.pk)
        assert grant.open(read.body) == "hello"
        with pytest.raises(Unreadable):
            grant.open(read.name)


def test_erasing_in_the_middle_of_it_takes_both_keys(kept, notes_are_declared):
    rotation._retire_keys(kept.subject_id, timezone.now())

    keys.destroy_keys(kept.subject_id, CATEGORY_SCOPES)

    assert {row.scope for row in SubjectKey.objects.filter(subject_id=kept.subject_id)} <= {Scope.LOG, Scope.RECORDS}
    with pytest.raises(KeyDestroyed):
        texts(kept)
    assert rotation.renew_keys([kept.subject_id], by=JOB) == 0
    assert rotation.unfinished_people() == []


def test_a_token_names_its_key_but_never_its_person(kept, notes_are_declared):
    """Another person's retired key, named by a token that is put into this person's row, is not even looked at."""
    with unit_of_work():
        thief = new_customer()
        with open_access(by=person(thief), purpose=Purpose.RIGHTS, subject=thief, writes=Event.DATA_COLLECTED):
            target = Note.objects.create(subject=thief, name="own", street="", body="")
    rotation._retire_keys(kept.subject_id, timezone.now())
    write_token(target, "name", stored_token(kept, "name"))

    with pytest.raises(Unreadable, match="no key of this person"):
        keys.key_named(stored_token(kept, "name")[1:17], thief.pk, Scope.ACCOUNT)
    with unit_of_work(), open_access(by=person(thief), purpose=Purpose.RIGHTS, subject=thief) as grant, pytest.raises(Unreadable):
        grant.open(Note.objects.get(pk=target.pk).name)


# The command


def test_the_command_refuses_when_the_vault_is_away(settings, db, monkeypatch):
    vault = connections["vault"]
    vault.close()
    monkeypatch.setitem(vault.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(vault.settings_dict, "PORT", "1")

    with pytest.raises(CommandError, match="run it again"):
        call_command("rotate_keys")

    vault.close()


def test_the_command_survives_kill_9(transactional_db):
    """A real process, killed in the middle of three thousand keys; the next one finishes."""
    keys.make_keys((uuid7(), Scope.ACCOUNT) for _ in range(3000))
    total = SubjectKey.objects.count()
    process = rewrapping()
    for line in process.stdout:
        if "of" in line:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    done = SubjectKey.objects.filter(key_version=2).count()
    assert said_of(Event.KEYS_REWRAPPED) == ["begun"]

    ending = rewrapping()
    output, errors = ending.communicate(timeout=120)

    assert 0 < done < total
    assert ending.returncode == 0, errors
    assert f"{total - done:,} keys are locked with the current version." in output
    assert said_of(Event.KEYS_REWRAPPED) == ["begun", "begun", "ok"]
    assert not SubjectKey.objects.exclude(key_version=2).exists()


def rewrapping() -> subprocess.Popen[str]:
    variables = slot_environment(MARKETPLACE_DB_ROLE="worker")
    variables["KEY_ENCRYPTION_KEYS"] += ",2:" + base64.b64encode(b"2" * 32).decode()
    return subprocess.Popen(
        [sys.executable, "-u", "manage.py", "rotate_keys"],
        env=variables,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
