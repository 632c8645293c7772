import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.webhooks import TOLERANCE_SECONDS, is_signed, sign

NOW = 1_800_000_000


@given(st.binary(max_size=200), st.text(min_size=1, max_size=40))
def test_is_signed_accepts_what_was_signed(body, secret):
    assert is_signed(secret, sign(secret, NOW, body), body, NOW)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_is_signed_refuses_another_body(body, other):
    assert body == other or not is_signed("secret", sign("secret", NOW, body), other, NOW)


@pytest.mark.parametrize("age", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_is_signed_refuses_an_old_and_a_future_message(age):
    assert not is_signed("secret", sign("secret", NOW - age, b"{}"), b"{}", NOW)


def test_is_signed_refuses_another_secret():
    assert not is_signed("secret", sign("other", NOW, b"{}"), b"{}", NOW)


@given(st.text(max_size=60))
def test_is_signed_refuses_rubbish(header):
    assert not is_signed("secret", header, b"{}", NOW)
