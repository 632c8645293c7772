"""Keeps USE-3: every log entry has an id before it is written, ordered by the moment it was made."""

import secrets
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import time_ns
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = Lock()
_last_tick = 0


def uuid7() -> UUID:
    """Return a new UUIDv7 (RFC 9562), strictly increasing within this process.

    The 12 bits after the millisecond hold its fraction (RFC 9562 6.2, method 3), so that entries
    written by one transaction keep the order in which they happened.
    """
    global _last_tick  # noqa: PLW0603 - one clock a process
    with _lock:
        now = time_ns()
        tick = (now // 1_000_000 << 12) | (now % 1_000_000 << 12) // 1_000_000
        tick = _last_tick = max(tick, _last_tick + 1)
    milliseconds, fraction = tick >> 12, tick & 0xFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62))


def first_uuid7(moment: datetime) -> UUID:
    """Return the smallest UUIDv7 of this moment: every one made later is greater."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def moment_of(identifier: UUID) -> datetime:
    """The moment in a UUIDv7, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=identifier.int >> 80)
