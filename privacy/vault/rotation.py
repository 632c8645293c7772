"""Keys are replaced while the site runs: those that lock, those of people, and the epochs around them (PROTECT-1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import By, record
from privacy.declarations.categories import Scope
from privacy.declarations.registry import personal_models
from privacy.vault import key_cache
from privacy.vault.clearing import owe_clearing
from privacy.vault.epochs import (
    IN_NO_CURRENT_EPOCH,
    current_epoch,
    destroy_epochs,
    epochs_over,
    epochs_to_destroy,
    lock_key,
    move_key,
    read_secrets,
    turn_epoch,
    unlock_key,
)
from privacy.vault.errors import KeyDestroyed, Unreadable, VaultError
from privacy.vault.fields import SealedField, sealed_fields
from privacy.vault.files import SealedFile, is_under_current_key, reseal_file, sealed_files_of
from privacy.vault.keyrings import Label, key_ring
from privacy.vault.keys import create_keys, drop_everywhere, reaching_the_vault, wait_for_others
from privacy.vault.models import EpochSecret, KeyEncryptionKey, SubjectKey
from privacy.vault.records import PersonalRecord
from privacy.vault.sealed import Sealed, resealed

Say = Callable[[str], object]
Rewrap = Callable[[SubjectKey], None]

BATCH = 500
PEOPLE = 1000  # whose keys are replaced together: each round waits once for what still seals under the old ones
ROWS = 200
SETTLES = timedelta(seconds=1)
LEFT_BEHIND = timedelta(hours=1)  # whoever renews a key still holds on to it before

BEGUN = "begun"

# The log's keys stay: the leaves of its tree are committed under them for good.
RENEWED = tuple(scope for scope in Scope if scope is not Scope.LOG)


# No entry, no change


@contextmanager
def _recorded(event: Event, by: By) -> Iterator[None]:
    """Keys change between two entries: one that says so is committed before, one that says it is done after.

    The keys' database shares no transaction with the log's. Call it outside of a transaction.
    """
    with transaction.atomic():
        record(event, by=by, outcome=BEGUN)
    yield
    with transaction.atomic():
        record(event, by=by)


def _is_left_open(event: Event) -> bool:
    """Whether the last run that said it begins never said it is done: the next one does."""
    return Entry.objects.filter(event=event).order_by("-at", "-id").values_list("outcome", flat=True).first() == BEGUN


# Locking anew: no data row is touched


def rewrap_keys(*, by: By, say: Say = lambda line: None) -> int:
    """Lock every key of people and every epoch with the current version of the key-encryption key; returns how many.

    A killed run is simply repeated. Keys that another process holds are left to the next round.
    """
    version = key_ring().version
    former = SubjectKey.objects.exclude(key_version=version)
    if not (_is_any(former, EpochSecret.objects.exclude(key_version=version)) or _is_left_open(Event.KEYS_REWRAPPED)):
        return 0
    with _recorded(Event.KEYS_REWRAPPED, by):
        _rewrap_epochs(version)
        return _in_batches(former, _lock_anew, say)


def advance_epoch(*, by: By, now: datetime | None = None, say: Say = lambda line: None) -> int:
    """Begin the next epoch when it is time, move all keys into it, and destroy what is old enough; returns how many moved."""
    now, number = now or timezone.now(), 0
    if _is_any(epochs_over(now), SubjectKey.objects.filter(IN_NO_CURRENT_EPOCH)) or _is_left_open(Event.KEYS_REWRAPPED):
        with _recorded(Event.KEYS_REWRAPPED, by):
            number = _move_keys(now, say)
    if _is_any(epochs_to_destroy(now)) or _is_left_open(Event.EPOCH_DESTROYED):
        with _recorded(Event.EPOCH_DESTROYED, by), reaching_the_vault():
            destroy_epochs(now)
    return number


def _is_any(*wanted: models.QuerySet[Any]) -> bool:
    with reaching_the_vault():
        return any(rows.exists() for rows in wanted)


def _move_keys(now: datetime, say: Say) -> int:
    with reaching_the_vault():
        turn_epoch(now)
        with transaction.atomic(using="vault"):
            epoch = current_epoch()
    return _in_batches(SubjectKey.objects.filter(~Q(epoch=epoch) | Q(epoch=None)), lambda row: move_key(row, epoch), say)


def _lock_anew(row: SubjectKey) -> None:
    lock_key(row, unlock_key(row))


def _rewrap_epochs(version: int) -> None:
    ring = key_ring()
    with reaching_the_vault(), transaction.atomic(using="vault"):
        KeyEncryptionKey.objects.bulk_create([KeyEncryptionKey(version=version)], ignore_conflicts=True)
        for secret in EpochSecret.objects.select_for_update().exclude(key_version=version):
            label = Label("epoch", secret.epoch_id)
            secret.wrapped = ring.wrap(ring.unwrap(bytes(secret.wrapped), label, secret.key_version), label)
            secret.key_version = version
            secret.save()


def _in_batches(wanted: models.QuerySet[SubjectKey], rewrap: Rewrap, say: Say) -> int:
    """Through the table by id, until a whole round finds nothing left to do or nothing that it can do."""
    done, damaged = 0, set[UUID]()
    with reaching_the_vault():
        total = wanted.count()
        while total:
            before = done
            last = UUID(int=0)
            while batch := list(wanted.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
                done += _rewrap_batch(batch, rewrap, damaged)
                last = batch[-1]
                say(f"{done:,} of {total:,} keys")
            if done == before or not wanted.exclude(pk__in=damaged).exists():
                break
    if damaged:
        say(f"{len(damaged):,} keys are damaged and stay as they are")
    return done


def _rewrap_batch(ids: list[UUID], rewrap: Rewrap, damaged: set[UUID]) -> int:
    with transaction.atomic(using="vault"):
        rows = list(SubjectKey.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk__in=ids))
        read_secrets(rows)
        changed = []
        for row in rows:
            try:
                rewrap(row)
                changed.append(row)
            except Unreadable:
                damaged.add(row.pk)
        SubjectKey.objects.bulk_update(changed, ["wrapped", "key_version", "epoch"])
    return len(changed)


# New keys for people: what is sealed is sealed anew


def due_people(before: datetime) -> Iterator[list[UUID]]:
    """People with a key that was made before this, or that has sealed as much as one may, in groups."""
    due = SubjectKey.objects.filter(Q(created_at__lt=before) | Q(seals__gte=settings.DATA_KEY_SEALS), retired_at=None, scope__in=RENEWED)
    last = UUID(int=0)
    while group := _people(due.filter(subject_id__gt=last)):
        last = group[-1]
        yield group


def unfinished_people(since: timedelta = timedelta()) -> list[UUID]:
    """People whose renewal was begun longer ago than this and not ended."""
    return _people(SubjectKey.objects.filter(retired_at__lte=timezone.now() - since))


def finish_renewals(*, by: By) -> int:
    """End what a killed run began, and begin nothing; returns how many people's renewals are done."""
    return renew_keys(unfinished_people(LEFT_BEHIND), by=by, before=datetime.min.replace(tzinfo=UTC))


def _people(keys: models.QuerySet[SubjectKey]) -> list[UUID]:
    with reaching_the_vault():
        return list(keys.order_by("subject_id").values_list("subject_id", flat=True).distinct()[:PEOPLE])


def renew_keys(subject_ids: Iterable[UUID], *, by: By, before: datetime | None = None, say: Say = lambda line: None) -> int:
    """Give these people new keys (where older than ``before``), seal their rows and files anew, destroy the old keys.

    Both keys open until the end, and a killed run is simply repeated: it goes on with what it began. Before the old
    key goes, this waits until no process can seal with it any more and whatever was sealed is committed. Returns how
    many people got new keys; those with a value that cannot be read keep their old key beside the new one.
    """
    people = [subject_id for subject_id in subject_ids if _begin_renewal(subject_id, before or timezone.now(), by)]
    for number, subject_id in enumerate(people, 1):
        _reseal(subject_id, by)
        if number % 100 == 0 or number == len(people):
            say(f"{number:,} of {len(people):,} people sealed anew")
    _wait_for_writers(say)
    done = sum(_finish(subject_id, by) for subject_id in people)
    if done < len(people):
        say(f"{len(people) - done:,} people keep their old keys: some of their values cannot be read")
    return done


def _begin_renewal(subject_id: UUID, before: datetime, by: By) -> bool:
    """Say in the log that keys are replaced, then replace those that are due. Returns whether any is under way."""
    if _is_any(_due_keys(subject_id, before)):
        with transaction.atomic():
            record(Event.KEYS_RENEWED, by=by, subject=subject_id, outcome=BEGUN)
    return _retire_keys(subject_id, before)


def _retire_keys(subject_id: UUID, before: datetime) -> bool:
    """A key takes over from each one that is due, unless one did already and is not done. Returns whether any is under way."""
    with reaching_the_vault(), transaction.atomic(using="vault"):
        wait_for_others([subject_id])
        current = list(_due_keys(subject_id, before))
        if not current:
            return bool(_scopes_under_way(subject_id))
        SubjectKey.objects.filter(pk__in=[row.pk for row in current]).update(retired_at=timezone.now())
        create_keys((subject_id, Scope(row.scope)) for row in current)
    drop_everywhere(subject_id)
    return True


def _due_keys(subject_id: UUID, before: datetime) -> models.QuerySet[SubjectKey]:
    rows = SubjectKey.objects.filter(subject_id=subject_id, scope__in=RENEWED)
    under_way = rows.filter(retired_at__isnull=False).values("scope")
    due = Q(created_at__lt=before) | Q(seals__gte=settings.DATA_KEY_SEALS)
    return rows.filter(due, retired_at=None).exclude(scope__in=under_way)


def _scopes_under_way(subject_id: UUID) -> set[str]:
    with reaching_the_vault():
        return set(SubjectKey.objects.filter(subject_id=subject_id, retired_at__isnull=False).values_list("scope", flat=True))


def _reseal(subject_id: UUID, by: By) -> int:
    """Bring every value and file of this person under the current keys; returns how many could not be read."""
    scopes = _scopes_under_way(subject_id)
    unreadable = 0
    for model in personal_models():
        fields = [field for field in sealed_fields(model) if field.scope in scopes]
        if fields and issubclass(model, PersonalRecord):
            unreadable += _reseal_rows(model, fields, subject_id, by)
    return unreadable + sum(not _reseal_file(file, subject_id) for file in sealed_files_of(subject_id) if file.scope in scopes)


def _reseal_rows(model: type[PersonalRecord], fields: list[SealedField], subject_id: UUID, by: By) -> int:
    unreadable, last = 0, UUID(int=0)
    while True:
        with transaction.atomic():
            own = model._base_manager.select_for_update(of=("self",)).filter(subject_id=subject_id, pk__gt=last)
            records = list(own.order_by("pk")[:ROWS])
            if not records:
                return unreadable
            last = records[-1].pk
            changed = []
            for row in records:
                is_changed, broken = _reseal_row(row, fields)
                unreadable += broken
                if is_changed:
                    changed.append(row)
            if changed:
                record(Event.DATA_RESEALED, by=by, subject=subject_id, fields=[field.path for field in fields])
            # Past our own manager: tokens are written as they are, without a draft or a grant.
            plain: models.QuerySet[Any] = models.QuerySet(model)
            plain.bulk_update(changed, [field.attname for field in fields])


def _reseal_row(row: PersonalRecord, fields: list[SealedField]) -> tuple[bool, int]:
    is_changed, unreadable = False, 0
    for field in fields:
        value = getattr(row, field.attname)
        try:
            token = None if value is None else resealed(value)
        except (Unreadable, KeyDestroyed):
            unreadable += 1
            continue
        if token is not None:
            row.__dict__[field.attname] = Sealed(field, token)
            is_changed = True
    return is_changed, unreadable


def _reseal_file(file: SealedFile, subject_id: UUID) -> bool:
    """Whether the file now lies under the current key; one that was deleted meanwhile does."""
    try:
        if not is_under_current_key(file, subject_id):
            reseal_file(file, subject_id)
    except FileNotFoundError:
        return True
    except VaultError:
        return False
    return True


def _wait_for_writers(say: Say) -> None:
    """Until every process has forgotten the retired keys, and every transaction that was open then has ended.

    The news reaches them within a second; a process that the broker does not reach forgets by itself after
    ``CACHE_SECONDS``. A transaction under way may hold a value that was sealed before, not committed yet.
    """
    with reaching_the_vault():
        newest = SubjectKey.objects.filter(retired_at__isnull=False).order_by("-retired_at").values_list("retired_at", flat=True).first()
    if newest is None:
        return
    until = newest + timedelta(seconds=key_cache.CACHE_SECONDS) + SETTLES
    if (pause := (until - timezone.now()).total_seconds()) > 0:
        say(f"Waiting {pause:.0f} s until no process holds an old key")
        time.sleep(pause)
    open_now = _open_transactions()
    while open_now:
        time.sleep(0.2)
        open_now &= _open_transactions()


def _open_transactions() -> set[str]:
    """Transactions of others that have touched a table of the main database; a lock on one is held to the end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid()"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return {number for (number,) in cursor.fetchall()}


def _finish(subject_id: UUID, by: By) -> bool:
    """Take what was written meanwhile, then let the retired keys go; False while a value needs one of them."""
    if not _scopes_under_way(subject_id):
        return True
    if _reseal(subject_id, by):
        return False
    with transaction.atomic():  # before the keys go: killed in between, the next run writes it again and lets them go
        record(Event.KEYS_RENEWED, by=by, subject=subject_id)
    with reaching_the_vault(), transaction.atomic(using="vault"):
        SubjectKey.objects.filter(subject_id=subject_id, retired_at__isnull=False).delete()
        owe_clearing()
    drop_everywhere(subject_id)
    return True
