"""Tokens with which a person's programs act for them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from marketplace.accounts.errors import NotAllowed, TooManyTokens
from marketplace.accounts.models import ApiToken, User
from marketplace.accounts.tokens import token_digest
from privacy.interface.areas import TokenScope
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor, Role

PREFIX = "mkt_"  # what programs that look for leaked secrets know it by
START = len(PREFIX) + 6
LONGEST = timedelta(days=365)
MOST_TOKENS = 20


@transaction.atomic
def make_token(*, by: Actor, user: User, scopes: Iterable[TokenScope], lasts: timedelta) -> tuple[ApiToken, str]:
    """A new token and its secret, which cannot be read again; the person is told by mail.

    Raises NotAllowed for somebody else's account and for staff, TooManyTokens for the 21st, ValueError for one
    without a scope or that lasts longer than a year.
    """
    granted = sorted({TokenScope(scope).value for scope in scopes})
    if not by.is_subject(user.subject_id) or by.role != Role.CUSTOMER:
        raise NotAllowed
    if not granted or lasts > LONGEST:
        raise ValueError("a token has a scope, and lasts a year at most")
    User.objects.select_for_update().get(pk=user.pk)  # orders tokens made at once, so that each is counted
    if user.api_tokens.count() >= MOST_TOKENS:
        raise TooManyTokens
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, start=secret[:START], digest=token_digest(secret), scopes=granted, expires_at=timezone.now() + lasts
    )
    record(Event.API_TOKEN_MADE, by=by, subject=user.subject_id, object=token)
    queue_mail(by=by, template="accounts-token-made", subject=user.subject_id, object=Reference.to(token), locale=user.locale)
    return token, secret


@transaction.atomic
def end_token(*, by: Actor, token: ApiToken) -> None:
    """The token stops working now. Raises NotAllowed for somebody else's."""
    if not by.is_subject(token.user.subject_id):
        raise NotAllowed
    record(Event.API_TOKEN_ENDED, by=by, subject=token.user.subject_id, object=token)
    token.delete()


def note_token_used(*, token: ApiToken) -> None:
    """Keep the day of the last use, written once a day."""
    today = timezone.now().date()
    if token.last_used_on != today:
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=today)


def forget_expired_tokens() -> int:
    """Delete tokens whose time is over; returns how many."""
    with transaction.atomic():
        over = ApiToken.objects.filter(expires_at__lt=timezone.now())
        keys = list(over.values_list("pk", flat=True)[:5000])
        deleted, _ = ApiToken.objects.filter(pk__in=keys).delete()
    return deleted
