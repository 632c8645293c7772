"""Signed messages from partners: an HMAC-SHA-256 over the moment of sending and the body.

Header ``Webhook-Signature: t=<Unix seconds>,v1=<hex>``. Older or younger than five minutes counts as forged,
so that a message seen by somebody cannot be sent again later.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from audit.events import Event
from audit.record import record
from privacy.policy.roles import Actor
from privacy.sharing.models import Recipient

HEADER = "Webhook-Signature"
TOLERANCE_SECONDS = 300
LARGEST_BODY = 20_000


def sign(secret: str, sent_at: int, body: bytes) -> str:
    """The value of the header."""
    mac = hmac.new(secret.encode(), b"%d." % sent_at + body, hashlib.sha256).hexdigest()
    return f"t={sent_at},v1={mac}"


def is_signed(secret: str, header: str, body: bytes, now: float) -> bool:
    """Compared in constant time; an unreadable header or an old moment is no signature."""
    moment, _, _rest = header.removeprefix("t=").partition(",")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        return False
    expected = sign(secret, int(moment), body)
    fresh = abs(now - int(moment)) <= TOLERANCE_SECONDS
    return hmac.compare_digest(expected.encode(), header.encode()) and fresh


@dataclass(frozen=True)
class Message:
    """What a partner tells: its own id of the message, what happened, and our id of the thing it happened to."""

    id: UUID
    kind: str
    about: UUID


def read_message(body: bytes, about: str) -> Message | None:
    """The message in ``body``, its thing named ``about``; None for what we do not understand."""
    try:
        told = json.loads(body)
        values = [told["id"], told["type"], told[about]]
        if not all(isinstance(value, str) for value in values):
            return None
        return Message(id=UUID(told["id"]), kind=told["type"][:40], about=UUID(told[about]))
    except (KeyError, TypeError, ValueError):
        return None


def answer_webhook(request: HttpRequest, *, partner: str, about: str, receive: Callable[[Message], str]) -> HttpResponse:
    """400 and an entry in the log for what ``partner`` did not sign; 200 for everything else, understood or not.

    ``receive`` takes the message in and returns in a word what became of it.
    """
    body = request.body
    known = Recipient.objects.filter(slug=partner).first()
    secret: Any = known.webhook_secret if known else None
    header = request.headers.get(HEADER, "")
    if not secret or len(body) > LARGEST_BODY or not is_signed(secret, header, body, time.time()):
        # One entry a minute and partner: anybody can send rubbish here, and the log never forgets.
        if cache.add(f"webhook-refused:{partner}", True, 60):
            record(Event.WEBHOOK_REFUSED, by=Actor.job(partner), outcome="signature_invalid")
        return HttpResponse("signature invalid\n", status=400, content_type="text/plain")
    message = read_message(body, about)
    outcome = receive(message) if message else "unknown"
    return HttpResponse(f"{outcome}\n", content_type="text/plain")
