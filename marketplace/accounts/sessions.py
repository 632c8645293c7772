"""Sessions that know whose they are, so that all of a person's can be ended, and that store no usable key."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import transaction
from django.utils import timezone


def session_digest(session_key: str) -> str:
    """What stands in the table for the key in the browser's cookie."""
    return hashlib.sha256(session_key.encode()).hexdigest()


class SessionStore(DatabaseSessionStore):
    """Database sessions under the digest of their key. For synchronous requests, as all of ours are.

    A session that was ended elsewhere is not revived by a request that is still running: ``UpdateError``.
    """

    _started_at: datetime | None = None
    _seen_at: datetime | None = None
    _replaced_key: str | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        from marketplace.accounts.models import AccountSession

        return AccountSession

    def _get_session_from_db(self) -> Any:
        sessions = self.get_model_class().objects
        found = sessions.filter(session_key=session_digest(self.session_key or ""), expire_date__gt=timezone.now()).first()
        if found is None:
            self._session_key = None  # a key that the browser made up is never taken over
        else:
            self._started_at, self._seen_at = found.started_at, found.seen_at
        return found

    def exists(self, session_key: str) -> bool:
        return self.model.objects.filter(session_key=session_digest(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        user_id = data.get(SESSION_KEY)
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]
        return self.get_model_class()(
            session_key=session_digest(key),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=UUID(user_id) if user_id else None,
            started_at=self._started_at or timezone.now(),
        )

    def replace_key(self) -> None:
        """As ``cycle_key``, but done when the session is saved: meanwhile a login may be at work that knows no sessions."""
        self._session_cache, self._replaced_key = self._session, self.session_key  # type: ignore[attr-defined]
        self._session_key = None
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        super().save(must_create=must_create)
        if self._replaced_key is not None:
            replaced, self._replaced_key = self._replaced_key, None
            self.delete(replaced)

    def note_seen(self) -> None:
        """Note the hour in which the session is used; one write an hour, and none for a session that was not loaded."""
        from marketplace.accounts.models import this_hour

        hour = this_hour()
        if self._seen_at is not None and self._seen_at < hour:
            self._seen_at = hour
            self.model.objects.filter(session_key=session_digest(self.session_key or "")).update(seen_at=hour)

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(session_key=session_digest(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        forget_ended_sessions()


def forget_ended_sessions() -> int:
    """Delete sessions that have ended, up to 5,000; returns how many."""
    sessions = SessionStore.get_model_class().objects
    with transaction.atomic():
        keys = list(sessions.filter(expire_date__lt=timezone.now()).values_list("pk", flat=True)[:5000])
        deleted, _ = sessions.filter(pk__in=keys).delete()
    return int(deleted)
