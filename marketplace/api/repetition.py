"""A call that is sent twice is done once (draft-ietf-httpapi-idempotency-key-header).

What is remembered is a status and the address of what was made or changed, never a word of the answer: a
repeated call is answered by reading that address anew, as its caller.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from marketplace.api.errors import CallRefused, CallUnderWay, KeyMalformed, KeyMissing, KeyReused
from marketplace.api.models import REMEMBERED_FOR, RememberedCall
from marketplace.api.problems import answer_error
from privacy.policy.roles import Role
from privacy.vault.blind_index import blind_index

NEEDING_A_KEY = frozenset({"POST", "PATCH"})
HEADER = "Idempotency-Key"
FORM = re.compile(r'"?([A-Za-z0-9._:-]{8,128})"?', re.ASCII)


class RepeatedCallMiddleware:
    """Innermost: what it remembers commits with what the call did, and goes with it when the call is rolled back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        call: RememberedCall | None = getattr(request, "call", None)
        if call is not None and response.status_code < 300:
            call.status = response.status_code
            call.location = response.get("Location") or response.get("Content-Location") or request.path
            call.save(force_insert=True)
        return response

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not needs_key(request, view):
            return None
        try:
            call, is_new = begin_call(request)
        except (CallRefused, RequestDataTooBig) as refusal:
            return answer_error(refusal, {"request": request})
        if not is_new:
            return self._answer_again(request, call)
        request.call = call
        return None

    def _answer_again(self, request: Any, call: RememberedCall) -> HttpResponse:
        """By the same views, so that whoever may no longer read it does not read it here either."""
        request.method, request.path, request.path_info = "GET", call.location, call.location
        request.META["QUERY_STRING"] = ""
        response = self.get_response(request) if call.status != 204 else HttpResponse()
        if response.status_code not in (401, 403):
            response.status_code = call.status
        response["Idempotent-Replayed"] = "true"
        return response


def needs_key(request: Any, view: Any) -> bool:
    """A customer's call to an address that takes the method; all others are refused before they do anything."""
    kind = getattr(view, "cls", None)
    if request.method not in NEEDING_A_KEY or not getattr(kind, "wants_key", False) or not hasattr(kind, request.method.lower()):
        return False
    return request.actor.id is not None and request.actor.role == Role.CUSTOMER


def begin_call(request: Any) -> tuple[RememberedCall, bool]:
    """The call as remembered, or a new one to be remembered; True for a new one.

    Holds a lock on person and key until the unit of work ends. Raises KeyMissing, KeyMalformed, KeyReused, CallUnderWay.
    """
    subject_id: UUID = request.actor.id
    digest = blind_index("idempotency-key", f"{subject_id}|{_key_of(request)}")
    _lock(digest)
    fingerprint = _fingerprint(request)
    known = RememberedCall.objects.filter(subject_id=subject_id, digest=digest).first()
    if known is not None and known.made_at < timezone.now() - REMEMBERED_FOR:
        known.delete()
        known = None
    if known is None:
        return RememberedCall(subject_id=subject_id, digest=digest, fingerprint=fingerprint), True
    if bytes(known.fingerprint) != fingerprint:
        raise KeyReused
    return known, False


def _key_of(request: HttpRequest) -> str:
    sent = request.headers.get(HEADER)
    if sent is None:
        raise KeyMissing
    form = FORM.fullmatch(sent)
    if form is None:
        raise KeyMalformed
    return form[1]


def _lock(digest: bytes) -> None:
    """Not by waiting for the unique index: the second caller would wait as long as the first one works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])
        if not cursor.fetchone()[0]:
            raise CallUnderWay


def _fingerprint(request: HttpRequest) -> bytes:
    """Tells this call from every other, and nothing about it without the key of the blind index."""
    whole = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type == "multipart/form-data":
        _add_form(whole, request)
    else:
        whole.update(request.body)
    return blind_index("remembered-call", whole.hexdigest())


def _add_form(whole: Any, request: HttpRequest) -> None:
    for name, values in sorted(request.POST.lists()):
        whole.update(repr((name, values)).encode())
    for name, file in ((name, file) for name, files in sorted(request.FILES.lists()) for file in files):
        whole.update(repr((name, file.name, file.size)).encode())
        for chunk in file.chunks():
            whole.update(chunk)
        file.seek(0)


def forget_old_calls() -> int:
    """Delete what is older than a day; returns how many."""
    with transaction.atomic():
        old = RememberedCall.objects.filter(made_at__lt=timezone.now() - REMEMBERED_FOR - timedelta(minutes=5))
        keys = list(old.values_list("pk", flat=True)[:5000])
        deleted, _ = RememberedCall.objects.filter(pk__in=keys).delete()
    return deleted
