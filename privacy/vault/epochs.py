"""Wrapped keys lie under the secret of an epoch, so that no old copy of them opens anything for long (RIGHTS-3, PROTECT-1)."""

from __future__ import annotations

import os
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from privacy.vault.clearing import owe_clearing
from privacy.vault.errors import Unreadable
from privacy.vault.keyrings import NONCE_BYTES, Label, key_ring
from privacy.vault.models import Epoch, EpochSecret, KeyEncryptionKey, SubjectKey

IN_NO_CURRENT_EPOCH = Q(epoch=None) | Q(epoch__ended_at__isnull=False)

_ciphers: dict[object, AESGCM] = {}


def forget_secrets() -> None:
    """Drop what this process knows of epochs."""
    _ciphers.clear()


def label_of(row: SubjectKey) -> Label:
    return Label("subject-key", row.id, row.subject_id, row.scope)


def current_epoch() -> Epoch:
    """The epoch of keys that are made now, begun if there is none. Call it inside a transaction of the vault."""
    epoch = Epoch.objects.filter(ended_at=None).first()
    if epoch is None:
        _begin_epoch()
        epoch = Epoch.objects.get(ended_at=None)
    return epoch


def lock_key(row: SubjectKey, secret: bytes) -> None:
    """Wrap this data key for its row: by the key ring, then by the row's epoch."""
    ring = key_ring()
    row.key_version = ring.version
    row.wrapped = _wrap_in_epoch(row, ring.wrap(secret, label_of(row)))


def unlock_key(row: SubjectKey) -> bytes:
    """The data key of this row. Raises Unreadable for one that is damaged, moved or of a destroyed epoch,
    VaultUnavailable when the key ring does not answer."""
    return key_ring().unwrap(_unwrap_from_epoch(row), label_of(row), row.key_version)


def move_key(row: SubjectKey, epoch: Epoch) -> None:
    """Take the wrapped key from its epoch into another; the key ring is not asked."""
    inner = _unwrap_from_epoch(row)
    row.epoch = epoch
    row.wrapped = _wrap_in_epoch(row, inner)


def read_secrets(rows: list[SubjectKey]) -> None:
    """Have the secrets of these rows' epochs at hand, with at most one query."""
    unknown = {row.epoch_id for row in rows if row.epoch_id and row.epoch_id not in _ciphers}
    if not unknown:
        return
    for secret in EpochSecret.objects.filter(epoch__in=unknown):
        label = Label("epoch", secret.epoch_id)
        _ciphers[secret.epoch_id] = AESGCM(key_ring().unwrap(bytes(secret.wrapped), label, secret.key_version))


def _cipher(row: SubjectKey) -> AESGCM:
    if row.epoch_id not in _ciphers:
        read_secrets([row])
    if row.epoch_id not in _ciphers:
        raise Unreadable("the epoch of a wrapped key was destroyed")
    return _ciphers[row.epoch_id]


def _wrap_in_epoch(row: SubjectKey, inner: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(row).encrypt(nonce, inner, label_of(row).as_bytes())


def _unwrap_from_epoch(row: SubjectKey) -> bytes:
    wrapped = bytes(row.wrapped)
    if row.epoch_id is None:  # made before there were epochs; the next one takes it in
        return wrapped
    try:
        return _cipher(row).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], label_of(row).as_bytes())
    except (InvalidTag, ValueError) as error:
        raise Unreadable("a wrapped key is damaged or belongs to somebody else") from error


def _begin_epoch() -> None:
    """Of two processes that begin one at the same moment, the database lets one win."""
    epoch, ring = Epoch(), key_ring()
    wrapped = ring.wrap(os.urandom(32), Label("epoch", epoch.pk))
    if Epoch.objects.bulk_create([epoch], ignore_conflicts=True) and Epoch.objects.filter(pk=epoch.pk).exists():
        EpochSecret.objects.create(epoch=epoch, wrapped=wrapped, key_version=ring.version)
    KeyEncryptionKey.objects.bulk_create([KeyEncryptionKey(version=ring.version)], ignore_conflicts=True)


def epochs_over(now: datetime) -> QuerySet[Epoch]:
    """The current one, when it has lasted EPOCH_LASTS."""
    return Epoch.objects.filter(ended_at=None, started_at__lte=now - settings.EPOCH_LASTS)


def epochs_to_destroy(now: datetime) -> QuerySet[Epoch]:
    """Those that ended more than EPOCH_KEPT ago and hold no key any more."""
    ended = Epoch.objects.filter(ended_at__lte=now - settings.EPOCH_KEPT, destroyed_at=None)
    return ended.filter(~Exists(SubjectKey.objects.filter(epoch=OuterRef("pk"))))


def turn_epoch(now: datetime | None = None) -> bool:
    """Begin the next epoch when this one has lasted EPOCH_LASTS; returns whether it did."""
    now = now or timezone.now()
    with transaction.atomic(using="vault"):
        epoch = epochs_over(now).select_for_update().first()
        if epoch is None:
            return False
        Epoch.objects.filter(pk=epoch.pk).update(ended_at=now)
        _begin_epoch()
    return True


def destroy_epochs(now: datetime | None = None) -> int:
    """Destroy the secrets of ``epochs_to_destroy``; returns how many."""
    with transaction.atomic(using="vault"):
        locked = epochs_to_destroy(now or timezone.now()).select_for_update()
        # Asked again under the lock: a key that came while we waited for it keeps its epoch.
        ended = [epoch for epoch in locked if not SubjectKey.objects.filter(epoch=epoch).exists()]
        EpochSecret.objects.filter(epoch__in=ended).delete()
        Epoch.objects.filter(pk__in=[epoch.pk for epoch in ended]).update(destroyed_at=now or timezone.now())
        if ended:
            owe_clearing()
    for epoch in ended:
        _ciphers.pop(epoch.pk, None)
    return len(ended)
