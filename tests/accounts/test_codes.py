from datetime import UTC, datetime, timedelta

import pyotp
from hypothesis import given
from hypothesis import strategies as st

from marketplace.accounts.codes import STEP_SECONDS, enrollment_uri, matching_step, new_secret, qr_svg

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
MOMENTS = st.integers(1_700_000_000, 2_100_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, tz=UTC))


def test_matching_step_agrees_with_the_vectors_of_rfc_6238():
    vectors = {59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037"}

    for seconds, code in vectors.items():
        moment = datetime.fromtimestamp(seconds, tz=UTC)
        assert matching_step(SECRET, code, after=None, at=moment) == seconds // STEP_SECONDS


@given(MOMENTS, st.integers(-120, 120))
def test_matching_step_takes_codes_of_the_neighboring_half_minutes_only(now, drift):
    made_at = now + timedelta(seconds=drift)
    steps_apart = int(made_at.timestamp()) // STEP_SECONDS - int(now.timestamp()) // STEP_SECONDS

    step = matching_step(SECRET, pyotp.TOTP(SECRET).at(made_at), after=None, at=now)

    if abs(steps_apart) <= 1:
        assert step is not None


@given(MOMENTS)
def test_matching_step_takes_no_code_twice(now):
    code = pyotp.TOTP(SECRET).at(now)

    first = matching_step(SECRET, code, after=None, at=now)

    assert first is not None
    assert matching_step(SECRET, code, after=first, at=now) is None


@given(MOMENTS, st.integers(3, 10_000))
def test_matching_step_refuses_a_code_of_long_ago(now, steps):
    then = now - timedelta(seconds=steps * STEP_SECONDS)
    code = pyotp.TOTP(SECRET).at(then)
    near = {pyotp.TOTP(SECRET).at(now + timedelta(seconds=shift * STEP_SECONDS)) for shift in (-1, 0, 1)}

    if code not in near:  # one in a million is the same by chance
        assert matching_step(SECRET, code, after=None, at=now) is None


def test_new_secret_has_160_bits():
    assert len(new_secret()) == 32
    assert new_secret() != new_secret()


def test_qr_svg_is_a_document_without_script():
    picture = qr_svg(enrollment_uri(SECRET, "support abc123")).decode()

    assert "<svg" in picture
    assert "script" not in picture
    assert "style=" not in picture
