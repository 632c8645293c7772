"""Which views do not run by the login of whoever calls, and why: a closed list, so that it gets no longer unnoticed."""

import pytest
from django.urls import URLPattern, get_resolver

from privacy.access.places import GATE, other_place, person_of_form
from privacy.vault.identifiers import uuid7
from privacy.wall.logins import Login

pytestmark = pytest.mark.promise("PROTECT-2")

AT_THE_GATE = {
    # the account itself: password, sessions, second step, tokens
    "accounts:end-others", "accounts:end-session", "accounts:language", "accounts:password",
    "accounts:recovery-codes", "accounts:recovery-codes-text", "accounts:remove-second-factor", "accounts:second-factor-picture",
    "accounts:security", "accounts:set-up-second-factor", "accounts:sign-out", "accounts:token-end", "accounts:tokens",
    "api:account", "api:email", "api:security-events", "api:session", "api:sessions", "api:token", "api:tokens",
    # links and forms that may be anybody's, whoever is signed in
    "accounts:agree", "accounts:confirm", "accounts:enroll", "accounts:invitation", "accounts:password-reset",
    "accounts:password-reset-set", "accounts:refuse", "accounts:sign-up-again", "orders:lookup",
}  # fmt: skip
AS_STAFF = {"orders:parcel-webhook", "orders:payment-webhook"}
ASKING_FIRST = {
    "accounts:details", "orders:checkout", "orders:guest", "orders:placed", "privacy:complain", "privacy:complain-link", "privacy:complain-link-again",
    "privacy:receipt",
}  # fmt: skip


def named_views(patterns=None, prefix=""):
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name}", pattern.callback
        else:
            space = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from named_views(pattern.url_patterns, prefix + space)


def marked():
    return {name: place for name, view in named_views() if (place := other_place(view)) is not None}


def test_the_views_that_run_elsewhere_are_these():
    assert set(marked()) == AT_THE_GATE | AS_STAFF | ASKING_FIRST


@pytest.mark.parametrize(("names", "place"), [(AT_THE_GATE, GATE), (AS_STAFF, (Login.STAFF, None))])
def test_they_run_where_they_say(names, place):
    for name, other in marked().items():
        if name in names:
            assert other.choose(None, token="x", session_id=None, token_id=None) == place, name


def test_each_says_why():
    assert all(other.reason for other in marked().values())


def test_a_form_makes_the_same_person_however_often_it_is_sent():
    one, another = uuid7(), uuid7()

    assert person_of_form(one) == person_of_form(one) != person_of_form(another)
    assert person_of_form(one).version == 4
