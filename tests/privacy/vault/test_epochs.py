"""A destroyed key leaves the files of its table, and old copies of the table open nothing for long."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from privacy.declarations.categories import CATEGORY_SCOPES, Scope
from privacy.policy.roles import Actor
from privacy.vault import epochs, keys, rotation, vacuum
from privacy.vault.errors import Unreadable
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Epoch, EpochSecret, SubjectKey
from tests.privacy.vault.test_keys import in_threads

JOB = Actor.job("tests")
pytestmark = [pytest.mark.promise("RIGHTS-3"), pytest.mark.promise("PROTECT-1")]


@pytest.fixture(autouse=True)
def forgotten_secrets():
    epochs.forget_secrets()
    yield
    epochs.forget_secrets()


def later(settings, extra=timedelta(hours=1)):
    """When the current epoch is over, and when its secret goes."""
    over = timezone.now() + settings.EPOCH_LASTS + extra
    return over, over + settings.EPOCH_KEPT + extra


@pytest.fixture
def vacuum_at_once(transactional_db):
    if connections["vault"].pg_version < 170_000:
        pytest.skip("before PostgreSQL 17 the keys' table is left to autovacuum")


def forget_everything() -> None:
    keys.cache.clear()
    epochs.forget_secrets()


# Epochs


@pytest.mark.django_db
def test_a_key_lies_under_the_secret_of_its_epoch():
    key = keys.key_for_sealing(uuid7(), Scope.ACCOUNT)
    row = SubjectKey.objects.get(pk=key.id)

    EpochSecret.objects.filter(pk=row.epoch_id).delete()
    forget_everything()

    with pytest.raises(Unreadable):
        keys.unwrap(row)


@pytest.mark.django_db
def test_nothing_happens_before_its_time():
    key = keys.key_for_sealing(uuid7(), Scope.ACCOUNT)
    before = SubjectKey.objects.get(pk=key.id)

    assert rotation.advance_epoch(by=JOB) == 0

    assert bytes(SubjectKey.objects.get(pk=key.id).wrapped) == bytes(before.wrapped)
    assert Epoch.objects.count() == 1


@pytest.mark.django_db
def test_all_keys_move_into_the_next_epoch_and_stay_the_same(settings):
    subject_id = uuid7()
    made = keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    former = Epoch.objects.get(ended_at=None)

    assert rotation.advance_epoch(by=JOB, now=later(settings)[0]) == SubjectKey.objects.count()

    forget_everything()
    assert keys.key_for_opening(subject_id, Scope.ACCOUNT).secret == made.secret
    assert not SubjectKey.objects.filter(epoch=former).exists()
    assert EpochSecret.objects.filter(epoch=former).exists()  # a restore may still need it


@pytest.mark.django_db
def test_keys_from_before_there_were_epochs_open_and_move_in():
    subject_id = uuid7()
    made = keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    row = SubjectKey.objects.get(pk=made.id)
    SubjectKey.objects.filter(pk=row.pk).update(epoch=None, wrapped=epochs._unwrap_from_epoch(row))
    forget_everything()
    assert keys.key_for_opening(subject_id, Scope.ACCOUNT).secret == made.secret

    rotation.advance_epoch(by=JOB)

    forget_everything()
    assert keys.key_for_opening(subject_id, Scope.ACCOUNT).secret == made.secret
    assert SubjectKey.objects.get(pk=row.pk).epoch_id is not None


@pytest.mark.django_db
def test_a_copy_of_the_keys_opens_within_the_period_and_never_after_it(settings):
    """The whole point: the attacker has a copy of the table, and even the key-encryption key."""
    subject_id = uuid7()
    made = keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    copy = SubjectKey.objects.get(pk=made.id)
    over, gone = later(settings)

    keys.destroy_keys(subject_id, CATEGORY_SCOPES)
    rotation.advance_epoch(by=JOB, now=over)
    forget_everything()
    assert keys.unwrap(copy).secret == made.secret  # a restore within the period works

    rotation.advance_epoch(by=JOB, now=gone)
    forget_everything()
    with pytest.raises(Unreadable, match="destroyed"):
        keys.unwrap(copy)
    assert Entry.objects.filter(event=Event.EPOCH_DESTROYED).count() == 1


@pytest.mark.django_db
def test_a_secret_that_a_key_needs_is_never_destroyed(settings):
    """Whatever the clock says: a key that was left behind keeps its epoch."""
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    over, gone = later(settings)
    epochs.turn_epoch(over)

    assert epochs.destroy_epochs(gone) == 0

    forget_everything()
    keys.key_for_opening(subject_id, Scope.ACCOUNT)


@pytest.mark.django_db
def test_there_is_one_current_epoch_and_the_database_says_so():
    keys.key_for_sealing(uuid7(), Scope.ACCOUNT)

    with pytest.raises(Exception, match="one_current_epoch"):
        Epoch.objects.create()


@pytest.mark.django_db(transaction=True)
def test_two_first_keys_at_once_begin_one_epoch():
    people = [uuid7() for _ in range(6)]

    made = in_threads(6, lambda number: keys.key_for_sealing(people[number], Scope.ACCOUNT))

    assert all(isinstance(key, keys.DataKey) for key in made), made
    assert Epoch.objects.count() == EpochSecret.objects.count() == 1


def test_the_bound_is_what_the_documents_say(settings):
    assert (settings.EPOCH_LASTS.days, settings.EPOCH_KEPT.days) == (7, 14)


# What a deletion leaves in the files


def files_with(servers, wrapped: bytes) -> set[str]:
    """Which of the server's files hold these bytes, by their first directory."""
    root = Path(servers.layout.data)
    return {path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file() and wrapped in path.read_bytes()}


def checkpoint(owner_connection) -> None:
    owner = owner_connection("vault")
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute("CHECKPOINT")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("victim", [0, 1, 25, -2, -1])
def test_a_destroyed_key_is_in_no_file_of_its_table(vacuum_at_once, servers, owner_connection, victim):
    people = [uuid7() for _ in range(50)]
    for subject_id in people:
        keys.make_keys([(subject_id, Scope.ACCOUNT)])
    wrapped = bytes(SubjectKey.objects.get(subject_id=people[victim]).wrapped)
    checkpoint(owner_connection)
    assert "base" in files_with(servers, wrapped)

    keys.destroy_keys(people[victim], CATEGORY_SCOPES)
    checkpoint(owner_connection)

    assert files_with(servers, wrapped) <= {"pg_wal"}  # which recycles it; the epoch bounds what it is worth


@pytest.mark.django_db(transaction=True)
def test_a_destroyed_secret_is_in_no_file_of_its_table(vacuum_at_once, servers, owner_connection, settings):
    keys.key_for_sealing(uuid7(), Scope.ACCOUNT)
    wrapped = bytes(EpochSecret.objects.get().wrapped)
    over, gone = later(settings)
    rotation.advance_epoch(by=JOB, now=over)

    rotation.advance_epoch(by=JOB, now=gone)
    checkpoint(owner_connection)

    assert files_with(servers, wrapped) <= {"pg_wal"}


@pytest.mark.django_db(transaction=True)
def test_a_vacuum_that_cannot_run_fails_no_erasure(vacuum_at_once, owner_connection, monkeypatch, caplog):
    """Somebody reads the table in a long transaction."""
    monkeypatch.setattr(vacuum, "LOCK_LIMIT", "100ms")
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    owner = owner_connection("vault")
    with owner.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM privacy_subjectkey")

        keys.destroy_keys(subject_id, CATEGORY_SCOPES)

    assert not SubjectKey.objects.filter(subject_id=subject_id).exists()
    assert "the keys' tables were not vacuumed" in caplog.text


@pytest.mark.django_db
def test_autovacuum_comes_for_every_single_deletion():
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT relname, reloptions FROM pg_class WHERE relname IN ('privacy_subjectkey', 'privacy_epochsecret')")
        found = dict(cursor.fetchall())

    assert set(found) == {"privacy_subjectkey", "privacy_epochsecret"}
    for options in found.values():
        assert set(options) >= {"autovacuum_vacuum_threshold=0", "autovacuum_vacuum_scale_factor=0"}
