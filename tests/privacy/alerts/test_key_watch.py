"""Somebody is told of keys past their time and of a key ring that fails, once, and by ids alone."""

from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from privacy.alerts.key_watch import watch_keys
from privacy.alerts.models import Alert, AlertKind
from privacy.declarations.categories import Scope
from privacy.vault import keyrings, keys
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Clearing, Epoch, KeyEncryptionKey, SubjectKey
from privacy.vault.queries import is_log_kept, key_ages, ring_works

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-1")]


@pytest.fixture
def key():
    return SubjectKey.objects.get(pk=keys.key_for_sealing(uuid7(), Scope.ACCOUNT).id)


def raised() -> list[str]:
    return list(Alert.objects.order_by("kind").values_list("kind", flat=True))


def test_nothing_is_raised_while_all_keys_are_young(key):
    watch_keys()

    assert raised() == []
    assert not key_ages().is_overdue


def age_data_key(key, now, settings):
    SubjectKey.objects.filter(pk=key.pk).update(created_at=now - settings.DATA_KEY_LASTS - timedelta(hours=1))


def use_up(key, now, settings):
    SubjectKey.objects.filter(pk=key.pk).update(seals=settings.DATA_KEY_SEALS)


def age_lock(key, now, settings):
    KeyEncryptionKey.objects.update(used_since=now - settings.KEY_ENCRYPTION_KEY_LASTS - timedelta(hours=1))


def leave_unfinished(key, now, settings):
    SubjectKey.objects.filter(pk=key.pk).update(retired_at=now - timedelta(days=3))


def forget_epoch(key, now, settings):
    Epoch.objects.update(started_at=now - settings.EPOCH_LASTS - timedelta(days=3))


def leave_bytes(key, now, settings):
    Clearing.objects.create(owed_at=now - timedelta(hours=27))


@pytest.mark.parametrize("wrong", [age_data_key, use_up, age_lock, leave_unfinished, forget_epoch, leave_bytes])
def test_a_key_past_its_time_is_raised_once_and_counted_up(key, settings, wrong):
    wrong(key, timezone.now(), settings)

    watch_keys()
    watch_keys()

    assert raised() == [AlertKind.KEY_OVERDUE]
    assert Alert.objects.get().count == 2


@pytest.fixture
def as_superuser(owner_connection):
    """What its superuser does to the keys' server, until the test ends. Our own connection is a new one after it."""
    owner = owner_connection("vault")
    owner.autocommit = True

    def execute(statement):
        with owner.cursor() as cursor:
            cursor.execute(statement)
        connections["vault"].close()

    yield execute
    execute("ALTER ROLE vault_user RESET wal_recycle")
    execute("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO vault_owner")
    execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("RIGHTS-3")
@pytest.mark.parametrize(
    "wrong",
    [
        "ALTER ROLE vault_user SET wal_recycle = on",
        "REVOKE EXECUTE ON FUNCTION pg_switch_wal() FROM vault_owner",
        "SELECT pg_create_physical_replication_slot('idle')",
        "DROP FUNCTION renew_log()",
    ],
)
def test_a_log_that_keeps_deleted_keys_is_raised(key, as_superuser, wrong):
    assert not is_log_kept()

    as_superuser(wrong)
    watch_keys()

    assert raised() == [AlertKind.KEY_LOG_KEPT]


def test_the_log_s_keys_never_fall_due(settings):
    log = keys.key_for_sealing(uuid7(), Scope.LOG)
    SubjectKey.objects.filter(pk=log.id).update(created_at=timezone.now() - timedelta(days=9999))

    assert not key_ages().is_overdue


def test_a_version_that_is_not_configured_any_more_is_a_failing_ring(key, settings):
    settings.KEY_ENCRYPTION_KEYS = {9: bytes(32)}
    keyrings.key_ring.cache_clear()
    try:
        assert not ring_works()
        watch_keys()
    finally:
        keyrings.key_ring.cache_clear()

    assert AlertKind.KEY_RING_FAILED in raised()


def test_an_unreachable_vault_is_raised(key, monkeypatch):
    vault = connections["vault"]
    vault.close()
    monkeypatch.setitem(vault.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(vault.settings_dict, "PORT", "1")

    watch_keys()

    assert raised() == [AlertKind.KEY_RING_FAILED]
    vault.close()
