"""Whom tries are counted by behind a proxy."""

import pytest
from django.test import RequestFactory

from marketplace.headers import ForwardedAddressMiddleware


def address_seen(peer: str, forwarded: str | None) -> str:
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
    return ForwardedAddressMiddleware(lambda request: request.META["REMOTE_ADDR"])(request)


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("10.0.0.9", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.9", "203.0.113.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.9", "", "10.0.0.9"),
        ("10.0.0.9", None, "10.0.0.9"),
        ("203.0.113.5", "198.51.100.7", "203.0.113.5"),
    ],
)
def test_only_the_proxy_is_believed_and_only_its_own_word(settings, peer, forwarded, seen):
    settings.PROXY_ADDRESSES = ["10.0.0.9"]

    assert address_seen(peer, forwarded) == seen
