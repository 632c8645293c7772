"""A destroyed key leaves the files of its table, and old copies of the table open nothing for long."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as settings_of_the_site
from django.db import InternalError, connections
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from privacy.declarations.categories import CATEGORY_SCOPES, Scope
from privacy.policy.roles import Actor
from privacy.rights.tasks import advance_epoch, clear_deleted_keys
from privacy.vault import clearing, epochs, keys, rotation
from privacy.vault.errors import Unreadable
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Clearing, Epoch, EpochSecret, SubjectKey
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

    assert not Entry.objects.filter(event__in=[Event.KEYS_REWRAPPED, Event.EPOCH_DESTROYED]).exists()
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
    destroyed = Entry.objects.filter(event=Event.EPOCH_DESTROYED).order_by("at", "id")
    assert list(destroyed.values_list("outcome", flat=True)) == ["begun", "ok"]


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
def test_a_destroyed_key_is_in_no_file_of_its_table(servers, owner_connection, victim):
    people = [uuid7() for _ in range(50)]
    for subject_id in people:
        keys.make_keys([(subject_id, Scope.ACCOUNT)])
    wrapped = bytes(SubjectKey.objects.get(subject_id=people[victim]).wrapped)
    checkpoint(owner_connection)
    assert "base" in files_with(servers, wrapped)

    keys.destroy_keys(people[victim], CATEGORY_SCOPES)
    assert clearing.clear_deleted_keys()
    checkpoint(owner_connection)

    assert files_with(servers, wrapped) <= {"pg_wal"}
    assert clearing.renew_log()
    assert files_with(servers, wrapped) == set()


@pytest.mark.django_db(transaction=True)
def test_a_destroyed_secret_is_in_no_file_of_its_table(servers, owner_connection, settings):
    keys.key_for_sealing(uuid7(), Scope.ACCOUNT)
    wrapped = bytes(EpochSecret.objects.get().wrapped)
    over, gone = later(settings)
    rotation.advance_epoch(by=JOB, now=over)

    rotation.advance_epoch(by=JOB, now=gone)
    assert clearing.clear_deleted_keys()
    assert clearing.renew_log()

    assert files_with(servers, wrapped) == set()


@pytest.mark.django_db(transaction=True)
def test_every_night_ends_the_log_in_which_keys_and_secrets_lie_together(servers, owner_connection):
    """A copy of the whole disk, made after the night, by somebody who has the key-encryption key."""
    subject_id = uuid7()
    wrapped = bytes(SubjectKey.objects.get(pk=keys.key_for_sealing(subject_id, Scope.ACCOUNT).id).wrapped)
    keys.destroy_keys(subject_id, CATEGORY_SCOPES)
    checkpoint(owner_connection)
    assert files_with(servers, wrapped)

    advance_epoch()

    assert files_with(servers, wrapped) == set()


@pytest.mark.django_db(transaction=True)
def test_where_the_log_cannot_be_renewed_the_night_goes_on(owner_connection):
    owner = owner_connection("vault")
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute("REVOKE EXECUTE ON FUNCTION pg_switch_wal() FROM vault_owner")
        try:
            assert not clearing.renew_log()
            advance_epoch()
        finally:
            cursor.execute("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO vault_owner")


@pytest.mark.django_db(transaction=True)
def test_one_turn_clears_for_all_erasures_before_it_and_only_then_is_there_one():
    people = [uuid7() for _ in range(3)]
    keys.make_keys((subject_id, Scope.ACCOUNT) for subject_id in people)
    for subject_id in people:
        keys.destroy_keys(subject_id, CATEGORY_SCOPES)
    keys.destroy_keys(uuid7(), CATEGORY_SCOPES)  # who had no key leaves no bytes
    assert Clearing.objects.count() == 3
    before = file_of_the_table()

    assert clearing.clear_deleted_keys()
    after = file_of_the_table()
    assert clearing.clear_deleted_keys()

    assert after != before
    assert file_of_the_table() == after
    assert not Clearing.objects.exists()


def file_of_the_table() -> str:
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT pg_relation_filepath('privacy_subjectkey')")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_while_somebody_reads_the_table_a_clearing_waits_and_fails_no_erasure(owner_connection, monkeypatch):
    monkeypatch.setattr(clearing, "PATIENCE", 0.1)
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    owner = owner_connection("vault")
    with owner.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM privacy_subjectkey")
        keys.destroy_keys(subject_id, CATEGORY_SCOPES)

        assert not clearing.clear_deleted_keys()

    assert not SubjectKey.objects.filter(subject_id=subject_id).exists()
    owner.rollback()
    assert clearing.clear_deleted_keys()


@pytest.mark.django_db(transaction=True)
def test_a_row_that_an_older_transaction_may_still_see_is_cleared_by_a_later_turn(owner_connection, servers):
    """It holds no lock on the table, but its snapshot is from before: the bytes are carried over."""
    subject_id = uuid7()
    wrapped = bytes(SubjectKey.objects.get(pk=keys.key_for_sealing(subject_id, Scope.ACCOUNT).id).wrapped)
    owner = owner_connection("vault")
    with owner.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM privacy_destroyedkey")
        keys.destroy_keys(subject_id, CATEGORY_SCOPES)

        assert not clearing.clear_deleted_keys()

    owner.rollback()
    assert clearing.clear_deleted_keys()
    assert clearing.renew_log()
    assert files_with(servers, wrapped) == set()


@pytest.mark.django_db(transaction=True)
def test_a_large_table_waits_for_the_night(monkeypatch):
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    keys.destroy_keys(subject_id, CATEGORY_SCOPES)
    monkeypatch.setattr(clearing, "WHOLE_BYTES", 0)

    assert not clearing.clear_deleted_keys()
    advance_epoch()

    assert not Clearing.objects.exists()


@pytest.mark.django_db
def test_only_tables_of_keys_are_written_anew():
    with pytest.raises(InternalError, match="not a table of keys"), connections["vault"].cursor() as cursor:
        cursor.execute("SELECT rewrite_keys('privacy_destroyedkey')")


@pytest.mark.django_db
def test_the_beat_clears_within_a_minute():
    entry = settings_of_the_site.CELERY_BEAT_SCHEDULE["clear_deleted_keys"]

    assert (entry["task"], entry["schedule"]) == (clear_deleted_keys.name, 20)


@pytest.mark.django_db
def test_autovacuum_comes_for_every_single_deletion():
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT relname, reloptions FROM pg_class WHERE relname IN ('privacy_subjectkey', 'privacy_epochsecret')")
        found = dict(cursor.fetchall())

    assert set(found) == {"privacy_subjectkey", "privacy_epochsecret"}
    for options in found.values():
        assert set(options) >= {"autovacuum_vacuum_threshold=0", "autovacuum_vacuum_scale_factor=0"}
