"""Time-based one-time codes (RFC 6238): half a minute each, six digits, none accepted twice."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

import pyotp
import segno
from django.utils import timezone

STEP_SECONDS = 30
DRIFT_STEPS = 1
ISSUER = "Marketplace"


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32(32)


def enrollment_uri(secret: str, label: str) -> str:
    """What an authenticator app reads from the QR code. ``label`` tells accounts apart and names nobody."""
    return pyotp.TOTP(secret).provisioning_uri(name=label, issuer_name=ISSUER)


def current_code(secret: str, at: datetime | None = None) -> str:
    return pyotp.TOTP(secret).at(at or timezone.now())


def matching_step(secret: str, code: str, after: int | None, at: datetime | None = None) -> int | None:
    """The half-minute that ``code`` belongs to, or None.

    One step of clock drift either way is allowed (RFC 6238 section 5.2). Steps up to ``after`` are refused,
    or a code read over somebody's shoulder would work again within its half-minute.
    """
    totp = pyotp.TOTP(secret)
    now = int((at or timezone.now()).timestamp()) // STEP_SECONDS
    matches = [step for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1) if pyotp.utils.strings_equal(totp.generate_otp(step), code)]
    usable = [step for step in matches if after is None or step > after]
    return usable[-1] if usable else None


def qr_svg(uri: str) -> bytes:
    """The QR code as a complete SVG document, black on white whatever the page's colors."""
    document = BytesIO()
    segno.make(uri, error="m").save(document, kind="svg", scale=6, border=4, light="#fff", dark="#000")
    return document.getvalue()
