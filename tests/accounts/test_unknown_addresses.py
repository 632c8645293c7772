"""No door of the site tells whether an address has an account: not by its answer, its work, or its time."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from uuid import uuid4

import pytest
from django.contrib.auth import authenticate
from django.core import signing
from django.core.cache import cache
from django.db import connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.accounts.models import PasswordResetRequest
from orders.guests.actions import answer_lookup
from orders.guests.models import OrderLookup
from privacy.complaints.forms import FORM_SALT
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from tests.accounts.people import EMAIL, NAME, PASSWORD, client_of, deliver_all, make_customer, make_staff, staff_client
from tests.accounts.test_signing_up import fingerprint
from tests.orders.conftest import partners  # noqa: F401
from tests.orders.factories import place_as_guest

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-3")]

UNKNOWN = "nobody.at.all@example.org"
CHANGING = ("Content-Length", "Expires", "X-Request-Id")
RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|value=\"[A-Za-z0-9]{64}\"|nonce[-=][^ ;>]+")


@dataclass(frozen=True)
class Door:
    """Where somebody types an address, and how many mails go to it when it is known and when it is not."""

    name: str
    path: str
    data: Callable[[], dict[str, str]]
    mails: tuple[int, int]
    caller: Callable[[], Client] = Client
    field: str = "email"

    def __str__(self) -> str:
        return self.name


def boss_client() -> Client:
    email = f"boss-{uuid4()}@example.org"
    return staff_client(make_staff(Role.ADMINISTRATOR, email), email)


def other_client() -> Client:
    email = f"other-{uuid4()}@example.org"
    return client_of(make_customer(email), email)


def complaint() -> dict[str, str]:
    shown = signing.dumps([str(uuid4()), timezone.now().timestamp() - 10], salt=FORM_SALT)
    return {"kind": "complaint", "body": "Something is wrong.", "website": "", "shown": shown}


DOORS = [
    Door(
        "sign-up",
        "/sign-up/",
        lambda: {"name": NAME, "password": PASSWORD, "consent_account": fingerprint(Purpose.ACCOUNT, "en")},
        (1, 1),
    ),
    Door("sign-in", "/sign-in/", lambda: {"password": "not the right one"}, (0, 0)),
    Door("reset", "/password-reset/", dict, (1, 0)),
    Door("look-up", "/orders/lookup/", lambda: {"code": place_as_guest(email="guest@example.org").code}, (0, 0)),
    Door("complaint", "/complain/", complaint, (1, 1)),
    Door("invitation", "/admin/accounts/user/invite/", lambda: {"role": "support", "locale": "en", "invitation": str(uuid4())}, (1, 1), boss_client),
    Door("change of mailbox", "/account/details/", lambda: {"change": "email", "password": PASSWORD}, (1, 1), other_client),
]  # fmt: skip


def shown_of(response, typed) -> tuple:
    """All that the answer shows, without what is random in every answer and what was typed."""
    headers = {name: RANDOM.sub("-", value) for name, value in response.headers.items() if name not in CHANGING}
    body = RANDOM.sub("-", response.content.decode()).replace(typed, "-")
    return response.status_code, headers, sorted(response.cookies), body


def pass_through(door, email) -> tuple:
    """What the door answers to this address, the page after it, and the work that was done for it."""
    client, data = door.caller(), door.data()
    deliver_all()
    cache.clear()
    with CaptureQueriesContext(connections["default"]) as queries, CaptureQueriesContext(connections["vault"]) as keys:
        response = client.post(door.path, data | {door.field: email})
    after = client.get(response["Location"]) if response.status_code == 302 else response
    return shown_of(response, email), shown_of(after, email), len(queries), len(keys)


def mails_to(email) -> int:
    """Do the work that waits, and count what goes to this mailbox."""
    for waiting in PasswordResetRequest.objects.exclude(digests=None):
        waiting.perform()
    for lookup in OrderLookup.objects.exclude(digest=None):
        answer_lookup(lookup=lookup)
    return sum(email in message.to for message in deliver_all())


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_known_and_an_unknown_address_get_the_same(door):
    make_customer()
    pass_through(door, "somebody.before@example.org")  # whoever comes first fills the caches
    known = pass_through(door, EMAIL)
    unknown = pass_through(door, UNKNOWN)

    assert known == unknown


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_what_is_true_goes_to_the_mailbox_alone(door):
    make_customer()
    mails = []
    for email in (EMAIL, UNKNOWN):
        pass_through(door, email)
        mails.append(mails_to(email))

    assert tuple(mails) == door.mails


def seconds_for(email) -> float:
    started = perf_counter()
    assert authenticate(RequestFactory().post("/sign-in/"), username=email, password="not the right one") is None
    return perf_counter() - started


def test_a_wrong_password_takes_as_long_for_an_unknown_address(settings):
    """With the hashing of the site, not of the tests: without it an unknown address is ten times as quick."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    make_customer()
    known, unknown = [], []
    for _ in range(5):  # by turns, so that whatever else the machine does slows both
        known.append(seconds_for(EMAIL))
        unknown.append(seconds_for(UNKNOWN))
        cache.clear()  # nobody is locked out

    assert 1 / 3 < median(known) / median(unknown) < 3
