"""Password guessing ends after five wrong tries, for a quarter of an hour.

django-axes counts in the cache, by keyed digests alone: neither what was typed nor where from is kept. The
count is by account and not by network address: a guesser has many addresses, and an office has one. Whoever is
locked out by somebody else's guessing gets in at once by choosing a new password by mail, also when that
somebody has used up the mails of this hour: the links that were sent still work.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from privacy.access.limits import network_digest
from privacy.vault.blind_index import blind_index, blind_indexes, normalize_email

LOCKOUT_PARAMETERS = ["username"]


def lockout_parameters(request: HttpRequest, credentials: dict[str, Any] | None = None) -> list[str]:
    """What one count is about."""
    return LOCKOUT_PARAMETERS


def username_digest(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The account that is being tried, whether it exists or not."""
    credentials = credentials or {}
    user = credentials.get("user")
    if user is not None:
        return blind_index("second-factor", str(user.pk)).hex()
    return mailbox_digest(credentials.get("username") or "").hex()


def address_digest(request: HttpRequest) -> str:
    return network_digest(request).hex()


def mailbox_digest(email: str) -> bytes:
    """The key under which an address is entered and its failures are counted."""
    return blind_index("mailbox", normalize_email(email))


def mailbox_digests(email: str) -> list[bytes]:
    """The keys under which an address may be found."""
    return blind_indexes("mailbox", normalize_email(email))


def forget_failures(digest: bytes) -> None:
    """Start counting anew: after a right password, and after a new one was chosen by mail."""
    AxesProxyHandler.reset_attempts(username=digest.hex())


def is_locked_out(request: HttpRequest) -> bool:
    return bool(getattr(request, "axes_locked_out", False))


def has_just_locked_out(request: HttpRequest) -> bool:
    """True for the one request whose failure reached the limit."""
    return is_locked_out(request) and getattr(request, "axes_failures_since_start", None) is not None


def locked_out_response(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """The same page for every address, known or not."""
    pause: timedelta = settings.AXES_COOLOFF_TIME
    context = {"again_at": timezone.now() + pause, "minutes": int(pause.total_seconds() // 60)}
    page = render(request, "accounts/locked_out.html", context, status=429)
    page["Retry-After"] = str(int(pause.total_seconds()))
    return page
