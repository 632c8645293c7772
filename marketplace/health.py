"""What a load balancer and an operator ask: `/livez` for this process alone, `/healthz` for everything it needs."""

from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

from marketplace.pulse import pulse_age

PULSE_LIMIT = 30  # seconds


def check_database(alias: str) -> dict[str, Any]:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connections[alias].close()
        return {"state": "failed", "age": None}
    return {"state": "ok", "age": 0.0}


def check_broker() -> dict[str, Any]:
    client = redis.Redis.from_url(settings.BROKER_REDIS_URL, socket_timeout=5, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0))
    try:
        client.ping()
    except redis.RedisError:
        return {"state": "failed", "age": None}
    finally:
        client.close()
    return {"state": "ok", "age": 0.0}


def check_pulse(process: str) -> dict[str, Any]:
    try:
        age = pulse_age(process)
    except redis.RedisError:
        return {"state": "unknown", "age": None}
    if age is None:
        return {"state": "missing", "age": None}
    return {"state": "ok" if age <= PULSE_LIMIT else "late", "age": round(age, 1)}


def health() -> dict[str, dict[str, Any]]:
    """Each part with its state and its age: the seconds since it was last known to work."""
    return {
        "database": check_database("default"),
        "vault": check_database("vault"),
        "broker": check_broker(),
        "worker": check_pulse("worker"),
        "beat": check_pulse("beat"),
    }


def healthz() -> HttpResponse:
    parts = health()
    healthy = all(part["state"] == "ok" for part in parts.values())
    return JsonResponse({"healthy": healthy, **parts}, status=200 if healthy else 503, headers={"Cache-Control": "no-store"})


def livez() -> HttpResponse:
    return JsonResponse({"alive": True}, headers={"Cache-Control": "no-store"})


ANSWERS: dict[str, Callable[[], HttpResponse]] = {"/healthz": healthz, "/livez": livez}


class HealthMiddleware:
    """Answers probes before anything else: no session, no transaction, no redirect to https, any host name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = ANSWERS.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answer()
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django logs each 503; probes come every second
        return response
