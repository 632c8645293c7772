"""Somebody without an account who has proved a mailbox: let in to their own data for an hour (RIGHTS-10, PROTECT-3).

The proof is a mailed link. Nothing but another one renews it, so a browser left open is of little use to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from privacy.vault.models import Subject

KEY = "guest"
LASTS = timedelta(hours=1)
FRESH_FOR = timedelta(minutes=15)


@dataclass(frozen=True)
class GuestSession:
    """Whose data this browser may show, and since when; ``is_fresh`` stands in for the password of an account."""

    subject_id: UUID
    proved_at: datetime

    @property
    def ends_at(self) -> datetime:
        return self.proved_at + LASTS

    @property
    def is_fresh(self) -> bool:
        return timezone.now() - self.proved_at <= FRESH_FOR


def begin_guest_session(request: HttpRequest, subject_id: UUID) -> None:
    """Let the person in on this browser, under a new session key. Only after a proof of their mailbox."""
    request.session.replace_key()  # type: ignore[attr-defined]
    request.session[KEY] = {"subject": str(subject_id), "proved_at": timezone.now().isoformat()}


def end_guest_session(request: HttpRequest) -> None:
    """Forget the person on this browser; the basket stays. Does nothing without a guest session."""
    if request.session.pop(KEY, None) is not None:
        request.session.replace_key()  # type: ignore[attr-defined]


def guest_session(request: HttpRequest) -> GuestSession | None:
    """None without one, once its hour is over, for whoever is signed in, and for a person who was erased."""
    session = _proved(request)
    if session is None or timezone.now() >= session.ends_at or request.user.is_authenticated:
        return None
    people = Subject.objects.filter(pk=session.subject_id, kind=Subject.Kind.CUSTOMER, erased_at=None)
    return session if people.exists() else None


def guest_subject_id(request: HttpRequest) -> UUID | None:
    """The person let in without an account on this browser."""
    session = guest_session(request)
    return session.subject_id if session else None


def has_outlived_guest_session(request: HttpRequest) -> bool:
    """True for a browser that was let in, and no longer is: its page says how to come back."""
    return _proved(request) is not None and not request.user.is_authenticated and guest_session(request) is None


def guest(request: HttpRequest) -> dict[str, GuestSession | None]:
    """Context processor: the guest session, true where there is one."""
    return {"guest": getattr(request, "guest", None)}


def _proved(request: HttpRequest) -> GuestSession | None:
    stored = request.session.get(KEY)
    return GuestSession(UUID(stored["subject"]), datetime.fromisoformat(stored["proved_at"])) if stored else None
