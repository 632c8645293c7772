"""Marked values in several scripts, and every form in which one of them could turn up where it must not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

MARK = "Zqkanari"
NAME = f"{MARK} Łukasz-Ünal Кириллова-Кана 王小明鸟 أحمدكناري"
OTHER_NAME = f"{MARK} Änneßa दीपिकाकनारी"
ADDRESSEE = f"{MARK} Addressee 王小明鸟"
STREET = f"{MARK} Straße 7"
TOWN = f"{MARK} Кана-town"
PHONE = "+4915550199731"
WORDS = f"{MARK} wrote: мой номер {PHONE} 王小明鸟, ask {MARK.lower()}@zqkanarihost.example"
FILE_NAME = f"{MARK} снимок-кана 王小明鸟.txt"
FILE_CONTENT = f"{MARK} content أحمدكناري".encode()
ADDRESS = {"addressee": ADDRESSEE, "line1": STREET, "postcode": "10115", "locality": TOWN}
NETWORK_ADDRESSES = ("203.0.113.197", "2001:db8:77::c4ca")
USER_AGENT = f"{MARK}-Agent/9.1"
PASSWORD = "seven zqkanari apples on a wall"
BROWSER = {"REMOTE_ADDR": NETWORK_ADDRESSES[0], "HTTP_USER_AGENT": USER_AGENT, "HTTP_REFERER": f"http://testserver/?q={MARK}"}

PIECES = (
    MARK.lower(),
    "łukasz-ünal",
    "кириллова-кана",
    "王小明鸟",
    "أحمدكناري",
    "änneßa",
    "दीपिकाकनारी",
    "снимок-кана",
    PHONE[1:],
    *NETWORK_ADDRESSES,
)
"""What a search finds them by, in lower case: each value holds at least one, and nothing else does."""

_numbers = count(1)


def mailbox() -> str:
    """A marked address that nobody has yet."""
    return f"{MARK}.{next(_numbers)}@{MARK}host.example"


def forms_of(piece: str) -> Iterator[bytes]:
    """As it stands, escaped for JSON and for an address, and as PostgreSQL prints its bytes."""
    yield piece.encode()
    yield json.dumps(piece)[1:-1].encode()
    yield quote(piece).lower().encode()
    yield piece.encode().hex().encode()


FORMS = sorted({form for piece in PIECES for form in forms_of(piece)})
_IN_BASE64 = [
    base64.b64encode(b"x" * shift + form)[4 if shift else 0 : -4] for form in (MARK.encode(), MARK.lower().encode()) for shift in range(3)
]


def found_in(text: str | bytes) -> list[bytes]:
    """The marked values in it, in whatever form."""
    content = text.encode() if isinstance(text, str) else text
    lower = content.decode(errors="replace").lower().encode()
    return [form for form in FORMS if form in lower or form in content] + [form for form in _IN_BASE64 if form in content]
