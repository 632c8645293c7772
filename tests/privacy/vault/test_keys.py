"""Keys are made once, held briefly, destroyed for good, and nothing opens without them."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.categories import CATEGORY_SCOPES, Scope
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.vault import key_cache, keyrings, keys
from privacy.vault.blind_index import blind_index, normalize_email
from privacy.vault.commitments import VaultKeySource
from privacy.vault.errors import KeyDestroyed, VaultError, VaultUnavailable
from privacy.vault.identifiers import uuid7
from privacy.vault.models import DestroyedKey, SubjectKey
from tests.privacy.vault.fixtures import stored_token
from tests.privacy.vault.records import Letter, Note, new_customer

JOB = Actor.job("tests")
LABEL = keyrings.Label("subject-key", uuid7(), uuid7(), "account")


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work` at the same moment on connections of its own; returns results or errors, in any order."""
    barrier, results = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            barrier.wait()
            results.append(work(number))
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.fixture
def dead_vault(monkeypatch) -> None:
    """The vault's address leads nowhere."""
    vault = connections["vault"]
    vault.close()
    monkeypatch.setitem(vault.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(vault.settings_dict, "PORT", "1")
    yield
    vault.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("PROTECT-1")
def test_a_key_is_made_once_under_eight_threads_racing():
    subject_id = uuid7()

    made = in_threads(8, lambda _: keys.key_for_sealing(subject_id, Scope.ACCOUNT))

    assert len(made) == 8
    assert len({key.secret for key in made}) == 1
    assert SubjectKey.objects.filter(subject_id=subject_id).count() == 1


@pytest.mark.django_db
@pytest.mark.promise("PROTECT-1")
def test_each_person_and_scope_has_a_key_of_their_own():
    one, two = uuid7(), uuid7()

    made = [keys.key_for_sealing(subject_id, scope).secret for subject_id in (one, two) for scope in Scope]

    assert len(set(made)) == 2 * len(Scope)


@pytest.mark.django_db
@pytest.mark.promise("PROTECT-1")
def test_the_database_holds_the_key_wrapped():
    key = keys.key_for_sealing(uuid7(), Scope.ACCOUNT)

    row = SubjectKey.objects.get(pk=key.id)

    assert key.secret not in bytes(row.wrapped)
    assert len(bytes(row.wrapped)) == 12 + (12 + 32 + 16) + 16  # under the key ring, and once more under its epoch


@pytest.mark.promise("PROTECT-1")
def test_a_key_never_prints():
    key = keys.DataKey(uuid7(), b"k" * 32)

    assert "kkk" not in f"{key} {key!r}"


# The cache


def test_the_cache_is_bounded_and_the_oldest_goes_first():
    cache = key_cache.KeyCache(size=3)
    subjects = [uuid7() for _ in range(5)]
    for subject_id in subjects:
        cache.put(subject_id, Scope.ACCOUNT, keys.DataKey(uuid7(), bytes(32)))

    assert len(cache) == 3
    assert [cache.get(subject_id, Scope.ACCOUNT) is not None for subject_id in subjects] == [False, False, True, True, True]


def test_the_cache_of_a_process_holds_as_many_keys_as_the_documents_say():
    cache, key = key_cache.KeyCache(), keys.DataKey(uuid7(), bytes(32))
    for number in range(10_001):
        cache.put(UUID(int=number), Scope.ACCOUNT, key)

    assert len(cache) == 10_000
    assert keys.cache._size == 10_000


def test_a_sweep_takes_what_is_past_its_time_and_nothing_else(monkeypatch):
    cache, (former, present) = key_cache.KeyCache(), (uuid7(), uuid7())
    cache.put(former, Scope.ACCOUNT, keys.DataKey(uuid7(), bytes(32)))
    now = key_cache.monotonic()
    monkeypatch.setattr(key_cache, "monotonic", lambda: now + key_cache.CACHE_SECONDS + 1)
    cache.put(present, Scope.ACCOUNT, keys.DataKey(uuid7(), bytes(32)))

    cache.sweep()

    assert list(cache._keys) == [(present.int, Scope.ACCOUNT)]


@pytest.mark.promise("RIGHTS-3")
def test_a_cached_key_is_forgotten_after_its_time(monkeypatch):
    cache, subject_id = key_cache.KeyCache(), uuid7()
    cache.put(subject_id, Scope.ACCOUNT, keys.DataKey(uuid7(), bytes(32)))
    now = key_cache.monotonic()

    monkeypatch.setattr(key_cache, "monotonic", lambda: now + key_cache.CACHE_SECONDS - 1)
    assert cache.get(subject_id, Scope.ACCOUNT) is not None
    monkeypatch.setattr(key_cache, "monotonic", lambda: now + key_cache.CACHE_SECONDS + 1)
    assert cache.get(subject_id, Scope.ACCOUNT) is None
    assert len(cache) == 0


def test_dropping_a_person_drops_all_their_keys_and_nobody_elses():
    cache, one, two = key_cache.KeyCache(), uuid7(), uuid7()
    for subject_id in (one, two):
        for scope in Scope:
            cache.put(subject_id, scope, keys.DataKey(uuid7(), bytes(32)))

    cache.drop(one)

    assert [cache.get(one, scope) for scope in Scope] == [None] * len(Scope)
    assert len(cache) == len(Scope)


def test_the_keys_of_fifty_people_are_one_query(policy, work, django_assert_num_queries):
    subjects = [new_customer(Purpose.ORDER) for _ in range(50)]
    with open_access(by=JOB, purpose=Purpose.ORDER, writes=Event.DATA_COLLECTED):
        Letter.objects.bulk_create([Letter(subject=subject, name="Ada") for subject in subjects])
    keys.cache.clear()

    with open_access(by=JOB, purpose=Purpose.ORDER) as grant:
        letters = list(Letter.objects.all())
        with django_assert_num_queries(1, using="vault"):
            grant.load(letters)
            names = [grant.open(letter.name) for letter in letters]

    assert names == ["Ada"] * 50


def test_making_the_keys_of_many_people_takes_as_many_queries_as_for_few(db, django_assert_max_num_queries):
    people = [uuid7() for _ in range(55)]
    keys.make_keys([(uuid7(), Scope.ACCOUNT)])  # the very first begins an epoch

    for group in (people[:5], people[5:]):
        with django_assert_max_num_queries(8, using="vault"):
            keys.make_keys((subject_id, Scope.ACCOUNT) for subject_id in group)

    assert SubjectKey.objects.filter(subject_id__in=people).count() == 55


# Destruction


@pytest.mark.promise("RIGHTS-3")
def test_a_destroyed_key_opens_nothing_and_nothing_new_is_sealed(note, subject, own):
    keys.destroy_keys(subject.pk, CATEGORY_SCOPES)

    with own() as grant:
        with pytest.raises(KeyDestroyed):
            grant.open(Note.objects.get(pk=note.pk).name)
        with pytest.raises(KeyDestroyed), transaction.atomic():
            Note.objects.create(subject=subject, name="New")


@pytest.mark.promise("RIGHTS-3")
def test_destroying_leaves_the_records_that_the_law_keeps(subject):
    kept = keys.key_for_sealing(subject.pk, Scope.RECORDS).id

    keys.destroy_keys(subject.pk, CATEGORY_SCOPES)

    assert keys.key_for_opening(subject.pk, Scope.RECORDS).id == kept


@pytest.mark.django_db
@pytest.mark.promise("RIGHTS-3")
def test_destroying_twice_changes_nothing_more_and_says_so():
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)

    assert keys.destroy_keys(subject_id, CATEGORY_SCOPES) == list(CATEGORY_SCOPES)
    assert keys.destroy_keys(subject_id, CATEGORY_SCOPES) == []
    assert DestroyedKey.objects.filter(subject_id=subject_id).count() == len(CATEGORY_SCOPES)
    assert not SubjectKey.objects.filter(subject_id=subject_id).exists()


@pytest.mark.django_db
@pytest.mark.promise("RIGHTS-3")
def test_the_ledger_names_the_key_that_was_destroyed():
    subject_id = uuid7()
    key_id = keys.key_for_sealing(subject_id, Scope.LOG).id

    keys.destroy_keys(subject_id, [Scope.LOG])

    source = VaultKeySource()
    assert source.destroyed_keys({key_id, uuid7()}) == {key_id}
    assert source.known_keys({key_id}) == {}
    assert source.log_keys({subject_id}) == {}


@pytest.mark.django_db
@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("age", [timedelta(hours=2), -timedelta(hours=2)])
def test_a_line_of_the_ledger_counts_when_the_log_knows_of_the_erasure(age):
    """Whoever forges one has to write the erasure into the signed log, too."""
    subject_id = uuid7()
    key_id = keys.key_for_sealing(subject_id, Scope.LOG).id
    SubjectKey.objects.filter(pk=key_id).delete()
    DestroyedKey.objects.create(id=key_id, subject_id=subject_id, scope=Scope.LOG, destroyed_at=timezone.now() - age)
    record(Event.DATA_OPENED, by=Actor.job("tests"), subject=subject_id)
    record(Event.KEY_DESTROYED, by=Actor.job("tests"), subject=uuid7())
    assert VaultKeySource().destroyed_keys({key_id}) == set()

    record(Event.KEY_DESTROYED, by=Actor.job("tests"), subject=subject_id)

    assert VaultKeySource().destroyed_keys({key_id}) == {key_id}


@pytest.mark.django_db
@pytest.mark.promise("USE-3")
def test_the_log_reads_everybodys_keys_past_the_cache():
    people = {uuid7() for _ in range(5)}
    keys.cache.clear()

    made = VaultKeySource().log_keys(people)

    assert made.keys() == people
    assert VaultKeySource().log_keys(people) == made
    assert VaultKeySource().known_keys({id for id, _ in made.values()}) == dict(made.values())
    assert len(keys.cache) == 0


@pytest.mark.django_db
@pytest.mark.promise("RIGHTS-3")
@pytest.mark.parametrize(
    "statement", ["UPDATE privacy_destroyedkey SET scope = 'log'", "DELETE FROM privacy_destroyedkey", "TRUNCATE privacy_destroyedkey"]
)
def test_the_erasure_ledger_is_append_only_for_the_running_processes(statement):
    keys.destroy_keys(uuid7(), [Scope.ACCOUNT])

    with pytest.raises(DatabaseError), transaction.atomic(using="vault"), connections["vault"].cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("RIGHTS-3")
@pytest.mark.parametrize(
    "statement", ["UPDATE privacy_destroyedkey SET scope = 'log'", "DELETE FROM privacy_destroyedkey", "TRUNCATE privacy_destroyedkey"]
)
def test_the_erasure_ledger_is_append_only_even_for_a_superuser(statement, owner_connection):
    keys.destroy_keys(uuid7(), [Scope.ACCOUNT])

    with owner_connection("vault") as owner, owner.cursor() as cursor, pytest.raises(Exception, match="append-only"):
        cursor.execute(statement)


def destroy_or_make(subject_id: UUID, number: int) -> object:
    """One thread destroys while the others make."""
    return keys.destroy_keys(subject_id, [Scope.ACCOUNT]) if number == 0 else keys.key_for_sealing(subject_id, Scope.ACCOUNT)


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("RIGHTS-3")
def test_no_key_survives_when_making_and_destroying_race():
    for _ in range(10):
        subject_id = uuid7()

        in_threads(6, partial(destroy_or_make, subject_id))

        assert not SubjectKey.objects.filter(subject_id=subject_id).exists()
        keys.cache.clear()
        with pytest.raises(KeyDestroyed):
            keys.key_for_sealing(subject_id, Scope.ACCOUNT)


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("PROTECT-1")
def test_making_a_key_waits_for_a_destruction_that_is_under_way():
    """The interleaving that loses: the ledger is read before the destruction commits, the key is made after it."""
    subject_id, made = uuid7(), []

    def make() -> None:
        try:
            keys.key_for_sealing(subject_id, Scope.ACCOUNT)
            made.append("made")
        except KeyDestroyed:
            made.append("refused")
        finally:
            connections.close_all()

    with transaction.atomic(using="vault"):
        keys.destroy_keys(subject_id, [Scope.ACCOUNT])
        thread = threading.Thread(target=make)
        thread.start()
        thread.join(timeout=0.5)
        assert made == []
    thread.join(timeout=10)

    assert made == ["refused"]


@pytest.mark.django_db(transaction=True)
def test_a_key_is_never_made_inside_a_transaction_that_may_still_roll_back():
    with pytest.raises(RuntimeError), transaction.atomic(using="vault"):
        keys.key_for_sealing(uuid7(), Scope.ACCOUNT)


@pytest.mark.django_db(transaction=True)
def test_a_key_outlives_the_rollback_of_the_row_that_needed_it(policy, note_tables):
    with unit_of_work():
        subject = new_customer()

    with (
        pytest.raises(ZeroDivisionError),
        unit_of_work(),
        open_access(by=JOB, purpose=Purpose.ORDER, subject=subject, writes=Event.DATA_COLLECTED),
    ):
        Letter.objects.create(subject=subject, name="Ada")
        raise ZeroDivisionError

    assert Letter.objects.count() == 0
    assert SubjectKey.objects.filter(subject_id=subject.pk).exists()


# The vault is away


@pytest.mark.promise("PROTECT-1")
def test_without_the_vault_nothing_opens(note, own, dead_vault):
    keys.cache.clear()

    with own() as grant, pytest.raises(VaultUnavailable) as failure:
        grant.open(note.name)

    assert "127.0.0.1" not in str(failure.value)


@pytest.mark.promise("PROTECT-1")
def test_without_the_vault_nothing_is_sealed_and_no_half_row_stays(subject, own, dead_vault, work):
    keys.cache.clear()

    with own(), pytest.raises(VaultUnavailable), transaction.atomic():
        Note.objects.create(subject=subject, name="Ada")

    assert Note.objects.count() == 0


@pytest.mark.promise("PROTECT-1")
def test_without_the_vault_no_key_is_destroyed_in_silence(subject, dead_vault):
    with pytest.raises(VaultUnavailable):
        keys.destroy_keys(subject.pk, CATEGORY_SCOPES)


def test_without_the_vault_lists_of_masks_still_load(note, dead_vault):
    keys.cache.clear()

    assert [str(row.name) for row in Note.objects.all()] == [Note._meta.get_field("name").mask]


# The key-encryption key


@pytest.fixture
def other_ring(settings):
    settings.KEY_ENCRYPTION_KEYS = {1: AESGCM.generate_key(256)}
    keyrings.key_ring.cache_clear()
    yield
    keyrings.key_ring.cache_clear()


@pytest.mark.promise("PROTECT-1")
def test_with_another_key_encryption_key_nothing_opens(note, own, other_ring):
    keys.cache.clear()

    with own() as grant, pytest.raises(VaultError):
        grant.open(note.name)


@pytest.mark.promise("PROTECT-1")
def test_an_unknown_version_of_the_key_encryption_key_is_refused():
    ring = keyrings.LocalKeyRing({1: bytes(32)})
    wrapped = ring.wrap(b"k" * 32, LABEL)

    with pytest.raises(VaultError, match="version 2"):
        ring.unwrap(wrapped, LABEL, 2)


def test_the_highest_version_wraps_and_older_ones_still_unwrap():
    old, new = keyrings.LocalKeyRing({1: b"1" * 32}), keyrings.LocalKeyRing({1: b"1" * 32, 2: b"2" * 32})

    assert new.version == 2
    assert new.unwrap(old.wrap(b"k" * 32, LABEL), LABEL, 1) == b"k" * 32
    assert new.unwrap(new.wrap(b"k" * 32, LABEL), LABEL, 2) == b"k" * 32


@pytest.mark.django_db
@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize("what", ["person", "scope", "id", "damage"])
def test_a_wrapped_key_moved_or_damaged_is_refused(what):
    one, two = uuid7(), uuid7()
    keys.key_for_sealing(one, Scope.ACCOUNT)
    row = SubjectKey.objects.get(subject_id=one)
    if what == "person":
        row.subject_id = two
    elif what == "scope":
        row.scope = Scope.DELIVERY
    elif what == "id":
        row.id = uuid7()
    else:
        row.wrapped = bytes(row.wrapped)[:-1] + bytes([bytes(row.wrapped)[-1] ^ 1])

    with pytest.raises(VaultError):
        keys.unwrap(row)


@pytest.mark.promise("PROTECT-1")
def test_keys_swapped_between_two_people_open_nothing(note, subject, own):
    other = new_customer()
    keys.key_for_sealing(other.pk, Scope.ACCOUNT)
    wrapped = SubjectKey.objects.get(subject_id=other.pk, scope=Scope.ACCOUNT).wrapped
    SubjectKey.objects.filter(subject_id=subject.pk, scope=Scope.ACCOUNT).update(wrapped=wrapped)
    keys.cache.clear()

    with own() as grant, pytest.raises(VaultError):
        grant.open(note.name)


def test_the_token_names_its_key(note, subject):
    assert stored_token(note, "name")[1:17] == keys.key_for_opening(subject.pk, Scope.ACCOUNT).id.bytes


# The blind index


@pytest.mark.promise("PROTECT-1")
def test_the_blind_index_is_equal_exactly_for_equal_values_of_one_name(settings):
    index = blind_index("mailbox", "ada@example.org")

    assert len(index) == 32
    assert blind_index("mailbox", "ada@example.org") == index
    assert blind_index("mailbox", "ada@example.com") != index
    assert blind_index("phone", "ada@example.org") != index
    assert b"ada" not in index


@pytest.mark.promise("PROTECT-1")
def test_the_blind_index_depends_on_its_key(settings):
    before = blind_index("mailbox", "ada@example.org")
    settings.BLIND_INDEX_KEY = bytes(32)

    assert blind_index("mailbox", "ada@example.org") != before


@pytest.mark.parametrize(("typed", "compared"), [
    ("Ada@Example.ORG", "ada@example.org"),
    ("  ada@example.org ", "ada@example.org"),
    ("ADA@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ("ａｄａ@example.org", "ada@example.org"),
    ("STRASSE@example.org", "straße@example.org"),
])  # fmt: skip
def test_addresses_are_compared_without_case_width_and_script_of_the_domain(typed, compared):
    assert normalize_email(typed) == normalize_email(compared)


def test_different_mailboxes_stay_different():
    assert normalize_email("ada+1@example.org") != normalize_email("ada@example.org")
    assert normalize_email("a.da@example.org") != normalize_email("ada@example.org")
