"""Each person's data keys: made, held for a short time, retired, destroyed (PROTECT-1, RIGHTS-3)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import F
from django.utils import timezone

from privacy.declarations.categories import Scope
from privacy.vault.epochs import current_epoch, lock_key, read_secrets, unlock_key
from privacy.vault.errors import KeyDestroyed, Unreadable, VaultUnavailable
from privacy.vault.identifiers import uuid7
from privacy.vault.key_cache import DataKey, Place, cache
from privacy.vault.models import DestroyedKey, SubjectKey
from privacy.vault.news import announce, listener

__all__ = ["DataKey", "cache"]

Owner = tuple[UUID, Scope]

NOT_COUNTED = b"\x00\x01"  # one random nonce in 65,536 is less: it begins with two zero bytes
SEALS_A_COUNT = 1 << 16

WAIT = "SELECT pg_advisory_xact_lock(number) FROM unnest(%(numbers)s) AS number"

# In one go, so that an erasure costs no more than it must: the keys go, their bytes are noted to be cleared from the files,
# and each scope is entered in the ledger, by the id of its current key if it had one.
DESTROY = """
WITH gone AS (
    DELETE FROM privacy_subjectkey WHERE subject_id = %(subject)s AND scope = ANY(%(scopes)s) RETURNING id, scope, retired_at
), owed AS (
    INSERT INTO privacy_clearing (id, owed_at) SELECT %(clearing)s, now() WHERE EXISTS (SELECT FROM gone)
)
INSERT INTO privacy_destroyedkey (id, subject_id, scope, destroyed_at)
SELECT coalesce(gone.id, ending.id), %(subject)s, ending.scope, %(now)s
FROM unnest(%(ids)s::uuid[], %(scopes)s) AS ending (id, scope) LEFT JOIN gone ON gone.scope = ending.scope AND gone.retired_at IS NULL
ON CONFLICT DO NOTHING RETURNING scope
"""


@contextmanager
def reaching_the_vault() -> Iterator[None]:
    """Raises VaultUnavailable, which people see as a page that says so, where the keys' database does not answer."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise VaultUnavailable("the keys' database does not answer") from error


def unwrap(row: SubjectKey) -> DataKey:
    """The data key of this row. Raises Unreadable when it was tampered with."""
    return DataKey(row.id, unlock_key(row))


def load_keys(owners: Iterable[Owner]) -> dict[Owner, DataKey | None]:
    """Bring the keys of many people and scopes into the cache with at most one query.

    Returns those that it had to read, None for a damaged one: it closes its own person's values and nobody else's.
    """
    missing = {owner for owner in owners if cache.get(*owner) is None}
    if not missing:
        return {}
    listener.start()
    while True:
        turn = cache.turn
        rows = _rows_of(missing)
        opened = {row.pk: unwrap_whole(row) for row in rows}
        places = {_place(row): key for row in rows if (key := opened[row.pk]) is not None}
        if cache.put_all(places, turn):
            return {(row.subject_id, Scope(row.scope)): opened[row.pk] for row in rows if row.retired_at is None}


def _rows_of(owners: set[Owner]) -> list[SubjectKey]:
    with reaching_the_vault():
        rows = SubjectKey.objects.filter(
            subject_id__in={subject_id for subject_id, _ in owners},
            scope__in={scope for _, scope in owners},
        )
        found = list(rows)
        read_secrets(found)
    return found


def _place(row: SubjectKey) -> Place:
    owner = row.subject_id.int, Scope(row.scope)
    return owner if row.retired_at is None else (*owner, row.id.bytes)


def unwrap_whole(row: SubjectKey) -> DataKey | None:
    """The data key of this row, None when it is damaged."""
    try:
        return unwrap(row)
    except Unreadable:
        return None


def key_for_opening(subject_id: UUID, scope: Scope) -> DataKey:
    """The current key of this person and scope.

    Raises KeyDestroyed when there is none (any more), Unreadable when it is damaged, VaultUnavailable when the vault
    does not answer.
    """
    key = cache.get(subject_id, scope)
    if key is not None:
        return key
    read = load_keys([(subject_id, scope)])
    return _whole(read, (subject_id, scope), "the key of this value is gone")


def key_for_sealing(subject_id: UUID, scope: Scope) -> DataKey:
    """The key that seals this person's values of this scope, made and committed now if there is none.

    Raises KeyDestroyed when an erasure has ended this scope, Unreadable when the key is damaged, VaultUnavailable when
    the vault does not answer.
    """
    key = cache.get(subject_id, scope)
    if key is not None:
        return key
    read = make_keys([(subject_id, scope)])
    return _whole(read, (subject_id, scope), "this person was erased; nothing new is sealed for them")


def _whole(read: dict[Owner, DataKey | None], owner: Owner, gone: str) -> DataKey:
    key = read.get(owner) or cache.get(*owner)
    if key is not None:
        return key
    if owner in read:
        raise Unreadable("the key of this value is damaged")
    raise KeyDestroyed(gone)


def key_named(id: bytes, subject_id: UUID, scope: Scope) -> DataKey:
    """The key of this id, current or retired, among the keys of this person and scope alone: a token's word for its
    key finds no key of somebody else. Raises Unreadable when there is no such key."""
    key = cache.get_retired(subject_id, scope, id)
    if key is not None:
        return key
    turn = cache.turn
    with reaching_the_vault():
        row = SubjectKey.objects.filter(pk=UUID(bytes=id), subject_id=subject_id, scope=scope).first()
    if row is None:
        raise Unreadable("no key of this person sealed this value")
    key = unwrap(row)
    cache.put_all({_place(row): key}, turn)
    return key


def is_current(key: DataKey) -> bool:
    """Whether the vault still seals with this key."""
    with reaching_the_vault():
        return SubjectKey.objects.filter(pk=key.id, retired_at=None).exists()


def make_keys(owners: Iterable[Owner]) -> dict[Owner, DataKey | None]:
    """Bring keys into the cache and make those that are missing; those that an erasure ended stay away.

    Returns those that it read or made, as ``load_keys`` does. The number of queries does not grow with the keys. They
    are committed before the first row that uses them can be: two databases share no transaction, and a row whose key
    was lost could never be opened, while a key without rows harms nobody.
    """
    wanted = set(owners)
    read = load_keys(wanted)
    missing = {owner for owner in wanted if owner not in read and cache.get(*owner) is None}
    if not missing:
        return read
    make_missing(missing)
    return read | load_keys(missing)


def make_missing(owners: Iterable[Owner]) -> None:
    """Enter the keys of these owners that do not exist, except those that an erasure ended, and commit them."""
    missing = set(owners)
    subject_ids = {subject_id for subject_id, _ in missing}
    with reaching_the_vault(), transaction.atomic(using="vault", durable=True):
        wait_for_others(subject_ids)
        ended = DestroyedKey.objects.filter(subject_id__in=subject_ids)
        missing -= {(row.subject_id, Scope(row.scope)) for row in ended}
        create_keys(missing)


def create_keys(owners: Iterable[Owner]) -> None:
    """Enter new current keys, each where its owner has none. Call it inside a transaction of the vault."""
    epoch = current_epoch()
    rows = [SubjectKey(subject_id=subject_id, scope=scope, epoch=epoch) for subject_id, scope in owners]
    for row in rows:
        lock_key(row, os.urandom(32))
    SubjectKey.objects.bulk_create(rows, ignore_conflicts=True)


def has_key(subject_id: UUID, scope: Scope) -> bool:
    """Whether this person has a key of this scope that can be used; asks the vault only where the cache knows none."""
    owner = subject_id, scope
    return cache.get(*owner) is not None or load_keys([owner]).get(owner) is not None


def wait_for_others(subject_ids: Iterable[UUID]) -> None:
    """Orders the making and the destruction of a person's keys until the transaction ends.

    Without it a key made between the look into the erasure ledger and its own commit outlives the erasure.
    """
    with connections["vault"].cursor() as cursor:
        cursor.execute(WAIT, {"numbers": sorted(map(_number, subject_ids))})


def _number(subject_id: UUID) -> int:
    return int.from_bytes(subject_id.bytes[8:], "big", signed=True)


def fresh_nonce(key: DataKey) -> bytes:
    """12 random bytes, and now and then a note in the vault of how much was sealed with this key.

    Random nonces are safe for 2^32 seals under one key (NIST SP 800-38D, 8.3). One nonce in 65,536 counts for all
    of them: near the limit the count is right to half a percent, and the others cost nothing.
    """
    nonce = os.urandom(12)
    if nonce < NOT_COUNTED:
        with reaching_the_vault():
            SubjectKey.objects.filter(pk=key.id).update(seals=F("seals") + SEALS_A_COUNT)
    return nonce


def drop_everywhere(subject_id: UUID) -> None:
    """No process goes on with keys of this person that it holds; at once here, elsewhere when the vault has committed."""
    cache.drop(subject_id)
    transaction.on_commit(partial(announce, subject_id), using="vault")


def destroy_keys(subject_id: UUID, scopes: Iterable[Scope]) -> list[Scope]:
    """Delete the keys of these scopes and enter them in the erasure ledger. Idempotent.

    Returns the scopes that end now (also those that never had a key: none can be made later).
    """
    wanted = list(scopes)
    values: dict[str, Any] = {
        "numbers": [_number(subject_id)],
        "subject": subject_id,
        "scopes": [scope.value for scope in wanted],
        "ids": [uuid7() for _ in wanted],
        "clearing": uuid7(),
        "now": timezone.now(),
    }
    with reaching_the_vault(), transaction.atomic(using="vault"), connections["vault"].cursor() as cursor:
        cursor.execute(f"{WAIT};{DESTROY}", values)
        ending = {scope for (scope,) in cursor.fetchall()}
    drop_everywhere(subject_id)
    return [scope for scope in wanted if scope.value in ending]
