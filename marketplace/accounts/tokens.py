"""Mailed links: 256 random bits in the mail, their SHA-256 in the table, usable once and not for long."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.errors import TokenInvalid
from marketplace.accounts.models import AccountToken, PendingMailbox, User

Kind = AccountToken.Kind

LASTS = {
    Kind.CONFIRM: timedelta(days=3),
    Kind.CHANGE: PendingMailbox.PROVEN_WITHIN,
    Kind.AGREE: timedelta(days=30),  # as long as the change waits: it takes them along
    Kind.REFUSE: timedelta(days=30),
    Kind.RESET: timedelta(hours=1),
    Kind.INVITE: timedelta(days=3),
    Kind.ENROLL: timedelta(days=1),
}
KEPT = timedelta(days=1)


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def issue_token(user: User, kind: Kind) -> str:
    """A new token for ``user``; earlier ones of the same kind keep working until one of them is used."""
    token = secrets.token_urlsafe(32)
    AccountToken.objects.create(user=user, kind=kind, digest=token_digest(token), expires_at=timezone.now() + LASTS[kind])
    return token


def find_token(token: str, *kinds: Kind) -> AccountToken:
    """The usable token of one of these kinds. Raises TokenInvalid."""
    found = AccountToken.objects.usable().filter(digest=token_digest(token), kind__in=kinds)
    row = found.select_related("user").first()
    if row is None:
        raise TokenInvalid
    return row


def use_token(token: str, kind: Kind) -> User:
    """Spend a token, and with it every other of its kind; returns whose it was. Raises TokenInvalid."""
    found = AccountToken.objects.select_for_update(of=("self",)).usable()
    row = found.filter(digest=token_digest(token), kind=kind).select_related("user").first()
    if row is None:
        raise TokenInvalid
    AccountToken.objects.filter(user=row.user, kind=kind, used_at=None).update(used_at=timezone.now())
    return row.user


def forget_old_tokens() -> int:
    """Delete tokens a day after they expired; returns how many."""
    with transaction.atomic():
        old = AccountToken.objects.filter(expires_at__lt=timezone.now() - KEPT)
        keys = list(old.values_list("pk", flat=True)[:5000])
        deleted, _ = AccountToken.objects.filter(pk__in=keys).delete()
    return deleted
