"""How often something may be done within an hour: a mailbox written to, a form sent, an address searched for (PROTECT-3)."""

from __future__ import annotations

import ipaddress

from django.core.cache import cache
from django.http import HttpRequest

from privacy.vault.blind_index import blind_index

MAILS_AN_HOUR = 5
HOUR = 3600


def is_overdone(what: str, digest: bytes, limit: int = MAILS_AN_HOUR, seconds: int = HOUR) -> bool:
    """Count one more try; True when there were too many. Counts known and unknown addresses alike."""
    key = _key(what, digest)
    if cache.add(key, 1, seconds):
        return False
    try:
        return cache.incr(key) > limit
    except ValueError:  # it expired between the two calls
        return False


def forget_tries(what: str, digest: bytes) -> None:
    """Start counting anew."""
    cache.delete(_key(what, digest))


def network_digest(request: HttpRequest) -> bytes:
    """Where a request comes from, as a keyed digest: enough to count by, and kept nowhere but in the count.

    Of an IPv6 address the /64 counts: whoever has one has all of it (RFC 6177).
    """
    return blind_index("network-address", _network(request.META.get("REMOTE_ADDR", "")))


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _key(what: str, digest: bytes) -> str:
    return f"tries:{what}:{digest.hex()}"
