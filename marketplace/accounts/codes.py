"""The codes of the second step: from an authenticator app (RFC 6238), or kept on paper for the day it is lost.

Recovery codes are digits alone, so that one field takes both kinds on any keyboard in any script. Sixteen of them
are 53 random bits: too few for a plain hash to hide from somebody who has the table (ASVS 5.0 6.5.2), so they are
hashed with Argon2id, its costs fixed here because a digest is found by hashing again. One salt a person and not one
a code: a try costs one hash instead of ten.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime
from io import BytesIO

import pyotp
import segno
from argon2.low_level import Type, hash_secret_raw
from django.utils import timezone

STEP_SECONDS = 30
DRIFT_STEPS = 1
ISSUER = "Marketplace"
APP_DIGITS = 6
RECOVERY_DIGITS = 16
RECOVERY_CODES = 10


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


def plain_digits(text: str) -> str:
    """What was typed, in 0 to 9 whatever the script, without the blanks and dashes that make it readable."""
    kept = "".join(character for character in text if not character.isspace() and unicodedata.category(character) != "Pd")
    return "".join(str(unicodedata.digit(character, character)) for character in kept)


def new_recovery_codes() -> list[str]:
    """Ten random codes as they are shown: 1234-5678-9012-3456."""
    numbers = [f"{secrets.randbelow(10**RECOVERY_DIGITS):0{RECOVERY_DIGITS}}" for _ in range(RECOVERY_CODES)]
    return ["-".join(number[start : start + 4] for start in range(0, RECOVERY_DIGITS, 4)) for number in numbers]


def new_salt() -> bytes:
    return secrets.token_bytes(16)


def recovery_digest(code: str, salt: bytes) -> str:
    """Argon2id with 19 MiB and two passes, as OWASP recommends; changing a cost makes every issued code useless."""
    secret = plain_digits(code).encode()
    return hash_secret_raw(secret, salt, time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, type=Type.ID).hex()
