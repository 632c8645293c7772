"""Equality search over sealed values without opening any (PROTECT-1)."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from contextlib import suppress
from functools import lru_cache

from django.conf import settings


@lru_cache(maxsize=64)
def _key(name: str) -> bytes:
    return hmac.digest(settings.BLIND_INDEX_KEY, b"blind-index|" + name.encode(), hashlib.sha256)


def blind_index(name: str, value: str) -> bytes:
    """32 bytes that are equal exactly when ``name`` and the (already normalized) ``value`` are equal.

    HMAC-SHA-256 under a key of its own per name: without the key a list of likely values finds nothing.
    """
    return hmac.digest(_key(name), value.encode(), hashlib.sha256)


def normalize_email(value: str) -> str:
    """The form of an address that is compared: NFKC, surrounding space removed, both parts case-folded.

    RFC 5321 lets the local part depend on case; no mailbox provider in use does, and people do not.
    """
    local, at, domain = unicodedata.normalize("NFKC", value).strip().rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii")
    return f"{local.casefold()}{at}{domain.casefold()}"
