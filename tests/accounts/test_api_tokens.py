"""Tokens for programs: made, shown once, ended, and gone with what shuts the account."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import (
    change_password,
    close_account,
    end_other_sessions,
    end_sessions,
    end_token,
    forget_expired_tokens,
    make_token,
    note_token_used,
)
from marketplace.accounts.errors import NotAllowed, TooManyTokens
from marketplace.accounts.models import ApiToken
from marketplace.accounts.queries import token_with_secret, tokens_of
from privacy.access.gate import unit_of_work
from privacy.interface.areas import TokenScope
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Role
from tests.accounts.people import PASSWORD, TEST, client_of, deliver_all, entries, make_customer, make_staff
from tests.orders.conftest import partners  # noqa: F401  the policy

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=30)
READ = [TokenScope.ORDERS_READ]


@pytest.fixture
def user(partners):  # noqa: F811
    return make_customer()


def make(user, by=None, scopes=READ, lasts=MONTH):
    with unit_of_work():
        return make_token(by=by or user.actor, user=user, scopes=scopes, lasts=lasts)


# Making


@pytest.mark.promise("PROTECT-2")
def test_make_token_gives_a_secret_that_is_stored_nowhere(user):
    token, secret = make(user)

    assert secret.startswith(token.start)
    assert secret.startswith("mkt_")
    assert len(secret) == 47
    assert secret[len(token.start) :] not in repr(ApiToken.objects.values_list().get())
    assert token_with_secret(secret) == token
    assert entries(Event.API_TOKEN_MADE) == 1


def test_make_token_tells_the_person(user):
    make(user)

    message = deliver_all()[-1]

    assert message.to == ["marker.mailbox@example.org"]
    assert reverse("accounts:tokens") in message.body
    assert "mkt_" not in message.body


def test_make_token_keeps_each_scope_once(user):
    token, _secret = make(user, scopes=[TokenScope.ORDERS_READ, TokenScope.DATA_READ, TokenScope.ORDERS_READ])

    assert token.scopes == ["data:read", "orders:read"]


def test_make_token_refuses_another_persons_account(user):
    other = make_customer("other@example.org")

    with pytest.raises(NotAllowed):
        make(user, by=other.actor)


def test_make_token_refuses_staff(partners):  # noqa: F811
    with pytest.raises(NotAllowed):
        make(make_staff(Role.SUPPORT))


@pytest.mark.parametrize(("scopes", "lasts"), [([], MONTH), (READ, timedelta(days=366)), (["everything"], MONTH)])
def test_make_token_refuses_what_no_form_offers(user, scopes, lasts):
    with pytest.raises(ValueError):  # noqa: PT011
        make(user, scopes=scopes, lasts=lasts)


def test_make_token_refuses_the_twenty_first(user):
    for _ in range(20):
        make(user)

    with pytest.raises(TooManyTokens):
        make(user)


def test_make_token_changes_nothing_without_its_entry(user):
    unwritable = type(user.actor)(Role.CUSTOMER, user.subject_id, name="no token at all")
    before = OutboundMail.objects.count()

    with pytest.raises(NotRecordable):
        make(user, by=unwritable)

    assert not ApiToken.objects.exists()
    assert OutboundMail.objects.count() == before


# Ending


def test_end_token_ends_it(user):
    token, secret = make(user)

    with unit_of_work():
        end_token(by=user.actor, token=token)

    assert token_with_secret(secret) is None
    assert entries(Event.API_TOKEN_ENDED) == 1


def test_end_token_refuses_another_persons(user):
    token, secret = make(user)

    with pytest.raises(NotAllowed), unit_of_work():
        end_token(by=make_customer("other@example.org").actor, token=token)

    assert token_with_secret(secret) == token


def test_end_token_changes_nothing_without_its_entry(user):
    token, secret = make(user)
    unwritable = type(user.actor)(Role.CUSTOMER, user.subject_id, name="no token at all")

    with pytest.raises(NotRecordable), unit_of_work():
        end_token(by=unwritable, token=token)

    assert token_with_secret(secret) == token


@pytest.mark.promise("PROTECT-2")
@pytest.mark.parametrize(
    "shut",
    [
        lambda user: close_account(by=TEST, subject=user.subject),
        lambda user: end_sessions(by=TEST, user=user),
        lambda user: end_other_sessions(by=user.actor, user=user, keep=""),
        lambda user: change_password(by=user.actor, user=user, password="quite another long one"),
    ],
    ids=["closed", "signed out everywhere", "signed out elsewhere", "another password"],
)
def test_whatever_shuts_the_doors_ends_the_tokens(user, shut):
    _token, secret = make(user)

    with unit_of_work():
        shut(user)

    assert token_with_secret(secret) is None
    assert not ApiToken.objects.exists()


def test_an_expired_token_does_not_work_and_is_forgotten(user):
    _token, secret = make(user)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert token_with_secret(secret) is None
    assert not tokens_of(user)
    assert forget_expired_tokens() == 1
    assert not ApiToken.objects.exists()


def test_the_last_use_is_kept_to_the_day_and_written_once_a_day(user, django_assert_num_queries):
    token, _secret = make(user)
    note_token_used(token=token)
    token.refresh_from_db()

    assert token.last_used_on == timezone.now().date()
    with django_assert_num_queries(0):
        note_token_used(token=token)


# The page


def test_page_makes_a_token_and_shows_it_once(user):
    client = client_of(user)

    made = client.post(reverse("accounts:tokens"), {"scopes": ["orders:read", "data:read"], "days": "90", "password": PASSWORD})
    token = ApiToken.objects.get()

    assert made.status_code == 200
    assert "no-store" in made["Cache-Control"]
    secret = next(word for word in made.content.decode().replace("<", " ").replace(">", " ").split() if word.startswith("mkt_"))
    assert token_with_secret(secret) == token
    assert token.scopes == ["data:read", "orders:read"]
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    listed = client.get(reverse("accounts:tokens")).content.decode()
    assert token.start in listed
    assert secret not in listed


@pytest.mark.parametrize(
    "changes", [{"password": "wrong"}, {"scopes": []}, {"scopes": ["everything"]}, {"days": "366"}, {"name": "my phone"}, {"password": ""}]
)
def test_page_refuses_what_it_did_not_ask_for_and_loses_nothing_typed(user, changes):
    given = {"scopes": ["orders:read"], "days": "90", "password": PASSWORD, **changes}

    response = client_of(user).post(reverse("accounts:tokens"), given)

    assert response.status_code == 422
    assert not ApiToken.objects.exists()
    assert 'value="90"' in response.content.decode()
    assert PASSWORD not in response.content.decode()


def test_page_says_that_there_are_too_many(user):
    for _ in range(20):
        make(user)

    response = client_of(user).post(reverse("accounts:tokens"), {"scopes": ["orders:read"], "days": "30", "password": PASSWORD})

    assert response.status_code == 409
    assert "20 tokens" in response.content.decode()


def test_page_asks_once_and_ends_a_token(user):
    token, secret = make(user)
    client, path = client_of(user), reverse("accounts:token-end", args=[token.pk])

    assert token.start in client.get(path).content.decode()
    assert client.post(path).status_code == 302
    assert token_with_secret(secret) is None


def test_page_knows_no_token_of_another_person(user):
    token, secret = make(user)
    client = client_of(make_customer("other@example.org"), "other@example.org")

    assert client.post(reverse("accounts:token-end", args=[token.pk])).status_code == 404
    assert token_with_secret(secret) == token


@pytest.mark.parametrize("name", ["tokens", "token-end"])
def test_pages_are_for_the_person_alone(user, client, name):
    token, _secret = make(user)
    path = reverse(f"accounts:{name}", args=[token.pk] if name == "token-end" else [])

    assert client.get(path)["Location"].startswith("/sign-in/")
    assert client_of(user).put(path).status_code == 405
