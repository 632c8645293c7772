"""The token that the application signs is the one that the database accepts: HMAC-SHA-256 (RFC 2104, FIPS 180-4)."""

import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.wall.foundation import foundation, key_id, padded, quoted
from privacy.wall.logins import Login
from privacy.wall.token import sign

pytestmark = pytest.mark.promise("PROTECT-2")


def test_a_token_names_its_key_person_backend_and_transaction(settings):
    settings.WALL_SIGNING_KEY = bytes(range(64))
    person = UUID(int=7)

    key, subject, pid, started, mac = sign(person, 42, 1_700_000_000_000_001).split(".")

    assert (key, subject, pid, started) == (key_id(bytes(range(64))), str(person), "42", "1700000000000001")
    expected = hmac.new(bytes(range(64)), f"{key}.{person}.42.1700000000000001".encode(), hashlib.sha256)
    assert mac == expected.hexdigest()


@given(st.binary(min_size=64, max_size=64), st.binary(max_size=200))
def test_the_padded_forms_of_a_key_make_the_same_signature_without_it(key, message):
    inner = hashlib.sha256(bytes.fromhex(padded(key, 0x36)) + message).digest()

    assert hashlib.sha256(bytes.fromhex(padded(key, 0x5C)) + inner).digest() == hmac.digest(key, message, "sha256")


def test_the_name_of_a_key_does_not_tell_it():
    key = bytes(64)

    assert key_id(key) not in (key.hex()[:16], hashlib.sha256(key).hexdigest()[:16])
    assert key_id(key) != key_id(bytes(63) + b"\1")


def test_names_of_roles_and_databases_are_quoted():
    text = foundation(
        database='shop"; DROP',
        owner="the owner",
        roles={login: f"{login}'s" for login in Login if login is not Login.OWNER},
        key=bytes(64),
        log_kept_years=10,
    )

    assert '"shop""; DROP"' in text
    assert '"customer\'s"' in text
    assert quoted('a"b') == '"a""b"'
