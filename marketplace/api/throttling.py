"""How many calls a minute; counted by person, or for nobody in particular by a keyed digest of the network address."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from privacy.vault.blind_index import blind_index

WINDOW = 60  # seconds


class CallsAMinute(BaseThrottle):
    """One count a person, whatever number of tokens and browsers calls for them. Kept in the cache for a minute."""

    def __init__(self) -> None:
        self._ends_in = WINDOW

    def allow_request(self, request: Request, view: Any) -> bool:
        limit = settings.API_CALLS_A_MINUTE
        now = int(time.time())
        self._ends_in = WINDOW - now % WINDOW
        key = f"api:calls:{_caller(request)}:{now // WINDOW}"
        calls = 1 if cache.add(key, 1, WINDOW) else _counted(key)
        request._request.rate_limit = (limit, max(limit - calls, 0), self._ends_in)  # type: ignore[attr-defined]
        return calls <= limit

    def wait(self) -> float:
        return float(self._ends_in)


def _caller(request: Request) -> str:
    actor: Any = request.actor  # type: ignore[attr-defined]
    who = str(actor.id) if actor.id is not None else f"address {request.META.get('REMOTE_ADDR', '')}"
    return blind_index("api-caller", who).hex()


def _counted(key: str) -> int:
    try:
        return cache.incr(key)
    except ValueError:  # the minute ended between the two calls
        return 1


def add_rate_headers(response: Any, rate_limit: tuple[int, int, int] | None) -> None:
    """What is left (draft-ietf-httpapi-ratelimit-headers)."""
    if rate_limit is not None:
        limit, left, ends_in = rate_limit
        response["RateLimit-Policy"] = f'"calls";q={limit};w={WINDOW}'
        response["RateLimit"] = f'"calls";r={left};t={ends_in}'
