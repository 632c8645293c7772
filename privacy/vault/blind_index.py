"""Equality search over sealed values without opening any (PROTECT-1)."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from functools import lru_cache

import idna
from django.conf import settings


@lru_cache(maxsize=128)
def _key_for(key: bytes, name: str) -> bytes:
    return hmac.digest(key, b"blind-index|" + name.encode(), hashlib.sha256)


def _digest(key: bytes, name: str, value: str) -> bytes:
    return hmac.digest(_key_for(key, name), value.encode(), hashlib.sha256)


def blind_index(name: str, value: str) -> bytes:
    """32 bytes that are equal exactly when ``name`` and the (already normalized) ``value`` are equal.

    HMAC-SHA-256 under a key of its own per name: without the key a list of likely values finds nothing.
    """
    return _digest(settings.BLIND_INDEX_KEY, name, value)


def blind_indexes(name: str, value: str) -> list[bytes]:
    """``blind_index`` under the key in use, and under the second one while the index moves from key to key."""
    keys = [settings.BLIND_INDEX_KEY, settings.BLIND_INDEX_SECOND_KEY]
    return [_digest(key, name, value) for key in keys if key]


def index_key_name() -> str:
    """Tells the key in use from others, and nothing else."""
    return _digest(settings.BLIND_INDEX_KEY, "key-name", "")[:4].hex()


def normalize_email(value: str) -> str:
    """The form of an address that is compared.

    Surrounding space and the dot at the end of a domain go; letters that are mere forms of others (full-width, ligatures)
    and cases fall together (NFKC, Unicode case folding, whatever the language: the Turkish dotless i stays another letter
    than i); a domain is compared as it is looked up. Nothing else is taken for the same: a "+tag" and a dot in the
    local part are part of the mailbox's name for some providers.

    RFC 5321 lets the local part depend on case; no mailbox provider in use does, and people do not.
    """
    local, at, domain = unicodedata.normalize("NFKC", value).strip().rpartition("@")
    return f"{unicodedata.normalize('NFKC', local.casefold())}{at}{domain_in_ascii(domain)}"


def domain_in_ascii(domain: str) -> str:
    """A mail domain as it is looked up: IDNA 2008, mapped by UTS 46 and not transitional, so that ``ß`` stays itself.

    What is no such domain is only case-folded.
    """
    bare = domain.rstrip(".")
    try:
        return idna.encode(bare, uts46=True).decode("ascii")
    except idna.IDNAError:
        return unicodedata.normalize("NFKC", bare.casefold())
