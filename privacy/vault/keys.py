"""Each person's data keys: made, cached for a short time, destroyed (PROTECT-1, RIGHTS-3)."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import InterfaceError, OperationalError, connections, transaction

from privacy.declarations.categories import Scope
from privacy.vault.errors import KeyDestroyed, VaultUnavailable
from privacy.vault.identifiers import uuid7
from privacy.vault.keyrings import key_ring
from privacy.vault.models import DestroyedKey, SubjectKey

TOKEN_VERSION = b"\x01"
CACHE_SIZE = 10_000
CACHE_SECONDS = 30.0

Owner = tuple[UUID, Scope]


class DataKey:
    """An unwrapped key. Holds the cipher, never prints the key."""

    __slots__ = ("cipher", "decrypt", "encrypt", "expires", "head", "id", "secret")

    def __init__(self, id: UUID, secret: bytes) -> None:
        self.id = id
        self.head = TOKEN_VERSION + id.bytes  # how every token of this key begins
        self.secret = secret
        self.cipher = AESGCM(secret)
        self.encrypt, self.decrypt = self.cipher.encrypt, self.cipher.decrypt
        self.expires = monotonic() + CACHE_SECONDS

    def __repr__(self) -> str:
        return f"<DataKey {self.id}>"


class KeyCache:
    """At most ``size`` unwrapped keys for at most ``CACHE_SECONDS``; the oldest goes first."""

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._size = size
        self._keys: OrderedDict[tuple[int, Scope], DataKey] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, subject_id: UUID, scope: Scope) -> DataKey | None:
        # By the UUID's number: its own hash and comparison are Python code, and this is asked for every value.
        key = self._keys.get((subject_id.int, scope))
        if key is None or key.expires > monotonic():
            return key
        with self._lock:
            self._keys.pop((subject_id.int, scope), None)
        return None

    def put(self, subject_id: UUID, scope: Scope, key: DataKey) -> None:
        with self._lock:
            self._keys[subject_id.int, scope] = key
            while len(self._keys) > self._size:
                self._keys.popitem(last=False)

    def drop(self, subject_id: UUID) -> None:
        with self._lock:
            for owner in [owner for owner in self._keys if owner[0] == subject_id.int]:
                del self._keys[owner]

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()

    def __len__(self) -> int:
        return len(self._keys)


cache = KeyCache()
cached_key = cache.get  # bound once: asked for every value


@contextmanager
def _reaching_the_vault() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise VaultUnavailable("the keys' database does not answer") from error


def _context(id: UUID, subject_id: UUID, scope: str) -> bytes:
    return b"subject-key|" + id.bytes + subject_id.bytes + scope.encode()


def unwrap(row: SubjectKey) -> DataKey:
    """The data key of this row, put into the cache. Raises VaultError when it was tampered with."""
    scope = Scope(row.scope)
    context = _context(row.id, row.subject_id, scope)
    key = DataKey(row.id, key_ring().unwrap(bytes(row.wrapped), context, row.key_version))
    cache.put(row.subject_id, scope, key)
    return key


def load_keys(owners: Iterable[Owner]) -> None:
    """Bring the keys of many people and scopes into the cache with at most one query."""
    missing = {owner for owner in owners if cache.get(*owner) is None}
    if not missing:
        return
    with _reaching_the_vault():
        rows = SubjectKey.objects.filter(
            subject_id__in={subject_id for subject_id, _ in missing},
            scope__in={scope for _, scope in missing},
        )
        for row in rows:
            unwrap(row)


def key_for_opening(subject_id: UUID, scope: Scope) -> DataKey:
    """The key that opens this person's values of this scope.

    Raises KeyDestroyed when there is none (any more), VaultUnavailable when the vault does not answer.
    """
    key = cache.get(subject_id, scope)
    if key is None:
        load_keys([(subject_id, scope)])
        key = cache.get(subject_id, scope)
    if key is None:
        raise KeyDestroyed("the key of this value is gone")
    return key


def key_for_sealing(subject_id: UUID, scope: Scope) -> DataKey:
    """The key that seals this person's values of this scope, made and committed now if there is none.

    Raises KeyDestroyed when an erasure has ended this scope, VaultUnavailable when the vault does not answer.
    """
    key = cache.get(subject_id, scope)
    if key is None:
        make_keys([(subject_id, scope)])
        key = cache.get(subject_id, scope)
    if key is None:
        raise KeyDestroyed("this person was erased; nothing new is sealed for them")
    return key


def make_keys(owners: Iterable[Owner]) -> None:
    """Bring keys into the cache and make those that are missing; those that an erasure ended stay away.

    The number of queries does not grow with the keys. They are committed before the first row that uses them
    can be: two databases share no transaction, and a row whose key was lost could never be opened, while a
    key without rows harms nobody.
    """
    wanted = set(owners)
    load_keys(wanted)
    missing = {owner for owner in wanted if cache.get(*owner) is None}
    if not missing:
        return
    subject_ids = {subject_id for subject_id, _ in missing}
    with _reaching_the_vault(), transaction.atomic(using="vault", durable=True):
        _wait_for_others(subject_ids)
        ended = DestroyedKey.objects.filter(subject_id__in=subject_ids)
        missing -= {(row.subject_id, Scope(row.scope)) for row in ended}
        SubjectKey.objects.bulk_create([_new_key(*owner) for owner in missing], ignore_conflicts=True)
    load_keys(missing)


def has_key(subject_id: UUID, scope: Scope) -> bool:
    """Whether ``make_keys`` or ``load_keys`` has just found this key."""
    return cache.get(subject_id, scope) is not None


def _new_key(subject_id: UUID, scope: Scope) -> SubjectKey:
    id, ring = uuid7(), key_ring()
    wrapped = ring.wrap(os.urandom(32), _context(id, subject_id, scope))
    return SubjectKey(id=id, subject_id=subject_id, scope=scope, wrapped=wrapped, key_version=ring.version)


def _wait_for_others(subject_ids: Iterable[UUID]) -> None:
    """Orders the making and the destruction of a person's keys until the transaction ends.

    Without it a key made between the look into the erasure ledger and its own commit outlives the erasure.
    """
    numbers = sorted(int.from_bytes(id.bytes[8:], "big", signed=True) for id in subject_ids)
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(number) FROM unnest(%s) AS number", [numbers])


def destroy_keys(subject_id: UUID, scopes: Iterable[Scope]) -> list[Scope]:
    """Delete the keys of these scopes and enter them in the erasure ledger. Idempotent.

    Returns the scopes that end now (also those that never had a key: none can be made later).
    """
    with _reaching_the_vault(), transaction.atomic(using="vault"):
        _wait_for_others([subject_id])
        rows = {row.scope: row.id for row in SubjectKey.objects.select_for_update().filter(subject_id=subject_id)}
        known = set(DestroyedKey.objects.filter(subject_id=subject_id).values_list("scope", flat=True))
        ending = [scope for scope in scopes if scope not in known]
        DestroyedKey.objects.bulk_create(
            [DestroyedKey(id=rows.get(scope) or uuid7(), subject_id=subject_id, scope=scope) for scope in ending],
            ignore_conflicts=True,
        )
        SubjectKey.objects.filter(subject_id=subject_id, scope__in=list(scopes)).delete()
    cache.drop(subject_id)
    return ending
