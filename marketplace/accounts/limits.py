"""How often one mailbox may be written to because somebody typed its address, whoever it was."""

from __future__ import annotations

from django.core.cache import cache

MAILS_AN_HOUR = 5
HOUR = 3600


def is_overdone(what: str, digest: bytes, limit: int = MAILS_AN_HOUR, seconds: int = HOUR) -> bool:
    """Count one more try; True when there were too many. Counts known and unknown addresses alike."""
    key = f"accounts:{what}:{digest.hex()}"
    if cache.add(key, 1, seconds):
        return False
    try:
        return cache.incr(key) > limit
    except ValueError:  # it expired between the two calls
        return False
