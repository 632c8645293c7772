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
from typing import Any

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


def answer_webhook(request: HttpRequest, partner: str, receive: Callable[[dict[str, Any]], str]) -> HttpResponse:
    """400 and an entry in the log for a message that ``partner`` did not sign; 200 for every other one.

    ``receive`` gets the message and returns what became of it; ``KeyError``, ``TypeError`` and ``ValueError``
    mean that we do not know such a message.
    """
    body = request.body
    secret = Recipient.objects.filter(slug=partner).values_list("webhook_secret", flat=True).first()
    header = request.headers.get(HEADER, "")
    if not secret or len(body) > LARGEST_BODY or not is_signed(secret, header, body, time.time()):
        record(Event.WEBHOOK_REFUSED, by=Actor.job(partner), outcome="signature_invalid")
        return HttpResponse("signature invalid\n", status=400, content_type="text/plain")
    try:
        outcome = receive(json.loads(body))
    except (KeyError, TypeError, ValueError):
        outcome = "unknown"
    return HttpResponse(f"{outcome}\n", content_type="text/plain")
