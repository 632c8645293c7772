"""Keys that were changed around the program are told, whoever did it; what the program did to them is explained by the log."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import record
from privacy.alerts import key_change_watch
from privacy.alerts.key_change_watch import watch_key_changes
from privacy.alerts.models import Alert, AlertKind
from privacy.alerts.tasks import watch_wall
from privacy.declarations.categories import CATEGORY_SCOPES, Scope
from privacy.policy.roles import Actor
from privacy.rights.replay import replay_erasures
from privacy.vault import epochs, key_cache, keys, rotation
from privacy.vault.identifiers import uuid7
from privacy.vault.models import DestroyedKey, KeyChange, Subject, SubjectKey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-2")]

JOB = Actor.job("tests")


@pytest.fixture
def person():
    subject_id = uuid7()
    keys.make_keys((subject_id, scope) for scope in Scope)
    yield subject_id
    epochs.forget_secrets()


@pytest.fixture
def superuser(owner_connection):
    connection = owner_connection("vault")
    connection.autocommit = True

    def run(statement, *values):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

    return run


def look():
    """Once every entry had time to come."""
    watch_key_changes(timezone.now() + 2 * key_change_watch.SETTLES)


def told():
    entries = Entry.objects.filter(event=Event.DATA_CHANGED_UNATTRIBUTED).order_by("id")
    return list(entries.values_list("actor_role", "actor_name", "subject_id", "object_label", "outcome"))


def test_keys_deleted_by_hand_are_told_whatever_the_login(person, superuser):
    SubjectKey.objects.filter(subject_id=person, scope=Scope.ACCOUNT).delete()
    superuser("DELETE FROM privacy_subjectkey WHERE subject_id = %s", str(person))

    look()

    assert told() == [("unknown", login, person, "privacy.subjectkey", "delete") for login in ("vault_user", "postgres")]
    assert Alert.objects.filter(kind=AlertKind.UNATTRIBUTED_CHANGE, count=1).count() == 2
    assert not KeyChange.objects.exists()
    look()
    assert len(told()) == 2


def test_a_forged_line_in_the_ledger_of_erasures_is_told(person):
    key = SubjectKey.objects.get(subject_id=person, scope=Scope.LOG)
    DestroyedKey.objects.create(id=key.pk, subject_id=person, scope=Scope.LOG)

    look()

    assert told() == [("unknown", "vault_user", person, "privacy.destroyedkey", "insert")]


@pytest.mark.parametrize(
    ("statement", "label", "operation"),
    [
        ("UPDATE privacy_subjectkey SET wrapped = 'x'", "privacy.subjectkey", "update"),
        ("UPDATE privacy_epochsecret SET wrapped = 'x'", "privacy.epochsecret", "update"),
        ("DELETE FROM privacy_epochsecret", "privacy.epochsecret", "delete"),
    ],
)
def test_what_keys_are_wrapped_in_is_nobodys_to_change_in_a_shell(person, superuser, statement, label, operation):
    superuser(f"SET session_replication_role = replica; {statement}")

    look()

    assert told() == [("unknown", "postgres", None, label, operation)]


def test_what_the_program_does_to_keys_is_explained(person, settings, monkeypatch):
    monkeypatch.setattr(key_cache, "CACHE_SECONDS", 0.1)
    monkeypatch.setattr(rotation, "SETTLES", timedelta())
    over = timezone.now() + settings.EPOCH_LASTS + timedelta(hours=1)
    rotation.renew_keys([person], by=JOB)
    rotation.advance_epoch(by=JOB, now=over)
    rotation.advance_epoch(by=JOB, now=over + settings.EPOCH_KEPT + timedelta(hours=1))
    with transaction.atomic():
        keys.destroy_keys(person, CATEGORY_SCOPES)
        record(Event.KEY_DESTROYED, by=JOB, subject=person)
    assert KeyChange.objects.exists()

    look()

    assert told() == []
    assert not Alert.objects.exists()
    assert not KeyChange.objects.exists()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("has_keys", [True, False])
def test_what_a_restore_takes_again_is_explained(person, known, has_keys):
    """Of somebody erased since the backup, whom its data may not know; from before the person its keys know nobody either."""
    person = person if has_keys else uuid7()
    if known:
        Subject.objects.create(pk=person, erased_at=timezone.now())
    at = timezone.now().isoformat()
    lines = [{"key": str(uuid7()), "subject": str(person), "scope": scope.value, "at": at} for scope in CATEGORY_SCOPES]

    for _ in range(2):
        replay_erasures(by=JOB, lines=lines)

    assert not SubjectKey.objects.filter(subject_id=person, scope__in=CATEGORY_SCOPES).exists()
    assert KeyChange.objects.exists()
    look()
    assert told() == []
    assert Entry.objects.filter(event=Event.KEY_DESTROYED).count() == 1


def test_the_turn_of_an_epoch_by_the_site_explains_nobody_elses_changes(person, superuser):
    with transaction.atomic():
        record(Event.EPOCH_DESTROYED, by=JOB)
        record(Event.KEYS_REWRAPPED, by=JOB)
    superuser("UPDATE privacy_epochsecret SET wrapped = 'x'")

    look()

    assert told() == [("unknown", "postgres", None, "privacy.epochsecret", "update")]


def test_the_erasure_of_one_explains_nobody_elses_keys(person):
    other = uuid7()
    with transaction.atomic():
        record(Event.KEY_DESTROYED, by=JOB, subject=other)
    SubjectKey.objects.filter(subject_id=person).delete()

    look()

    assert len(told()) == 1


def test_an_entry_has_time_to_come(person):
    keys.destroy_keys(person, CATEGORY_SCOPES)

    watch_key_changes()

    assert told() == []
    assert KeyChange.objects.exists()


def test_a_seal_that_is_counted_and_a_new_key_are_no_news(person):
    SubjectKey.objects.filter(subject_id=person).update(seals=7)

    assert not KeyChange.objects.exists()


def test_what_could_not_be_told_is_told_the_next_time(person, monkeypatch):
    SubjectKey.objects.filter(subject_id=person).delete()
    monkeypatch.setattr(key_change_watch, "raise_alert", lambda **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        look()
    monkeypatch.undo()
    assert told() == []

    look()

    assert len(told()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO privacy_keychange (id, at, db_role, label, operation) VALUES (gen_random_uuid(), now(), 'x', 'x', 'x')",
        "UPDATE privacy_keychange SET db_role = 'x'",
        "ALTER TABLE privacy_subjectkey DISABLE TRIGGER note_destroyed",
        "SET session_replication_role = replica",
    ],
)
def test_the_sites_own_login_forges_no_note_and_switches_nothing_off(statement):
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), connections["vault"].cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("how", ["DISABLE TRIGGER", "ENABLE TRIGGER"])
def test_a_trigger_that_was_switched_off_is_a_hole_in_the_wall(superuser, how):
    """Also one that a session of replication would pass."""
    superuser(f"ALTER TABLE privacy_subjectkey {how} note_destroyed")

    watch_wall()

    superuser("ALTER TABLE privacy_subjectkey ENABLE ALWAYS TRIGGER note_destroyed")
    assert Alert.objects.get().kind == AlertKind.WALL_BREACHED


def test_the_sites_own_login_alone_reads_the_notes():
    with connections["vault"].cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles JOIN pg_class ON relname = 'privacy_keychange'"
            " WHERE has_table_privilege(pg_roles.oid, pg_class.oid, 'SELECT') AND NOT rolsuper AND rolcanlogin AND relowner <> pg_roles.oid"
        )
        assert cursor.fetchone()[0] == ["vault_user"]
