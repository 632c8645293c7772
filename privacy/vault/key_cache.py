"""Unwrapped keys stay in a process for a short time, and not a moment longer than the person's own (PROTECT-1, RIGHTS-3)."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from time import monotonic
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacy.declarations.categories import Scope

TOKEN_VERSION = b"\x02"
CACHE_SIZE = 10_000
CACHE_SECONDS = 30.0  # how long a destroyed key can live in a process that cannot be told

Place = tuple[int, Scope] | tuple[int, Scope, bytes]  # a person's current key, or one of them by its id


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
        self._keys: OrderedDict[Place, DataKey] = OrderedDict()
        self._lock = threading.Lock()
        self.turn = 0

    def get(self, subject_id: UUID, scope: Scope) -> DataKey | None:
        # By the UUID's number: its own hash and comparison are Python code, and this is asked for every value.
        key = self._keys.get((subject_id.int, scope))
        if key is None or key.expires > monotonic():
            return key
        self._forget((subject_id.int, scope))
        return None

    def get_retired(self, subject_id: UUID, scope: Scope, id: bytes) -> DataKey | None:
        """A key of this person that only opens any more, by its id."""
        key = self._keys.get((subject_id.int, scope, id))
        if key is None or key.expires > monotonic():
            return key
        self._forget((subject_id.int, scope, id))
        return None

    def put(self, subject_id: UUID, scope: Scope, key: DataKey) -> None:
        self.put_all({(subject_id.int, scope): key}, self.turn)

    def put_all(self, keys: Mapping[Place, DataKey], turn: int) -> bool:
        """Keep what was read from the vault, unless somebody was dropped since ``turn`` was noted before reading.

        A key that was read before its deletion and kept after the news of it would outlive the person by
        ``CACHE_SECONDS``.
        """
        with self._lock:
            if turn != self.turn:
                return False
            self._keys.update(keys)
            while len(self._keys) > self._size:
                self._keys.popitem(last=False)
        return True

    def drop(self, subject_id: UUID) -> None:
        with self._lock:
            self.turn += 1
            for place in [place for place in self._keys if place[0] == subject_id.int]:
                del self._keys[place]

    def clear(self) -> None:
        with self._lock:
            self.turn += 1
            self._keys.clear()

    def sweep(self) -> None:
        """Let go of the keys that are past their time, whether or not anybody asks for them again."""
        with self._lock:
            now = monotonic()
            for place in [place for place, key in self._keys.items() if key.expires <= now]:
                del self._keys[place]

    def renew_after_fork(self) -> None:
        """In a child the lock may be held by a thread that does not exist there, and nobody listens to news yet."""
        self._lock = threading.Lock()
        self.clear()

    def _forget(self, place: Place) -> None:
        with self._lock:
            self._keys.pop(place, None)

    def __len__(self) -> int:
        return len(self._keys)


cache = KeyCache()
find_key = cache._keys.get  # for every single value, whatever its age: who takes one from here looks at ``expires``
os.register_at_fork(after_in_child=cache.renew_after_fork)
