"""The keys' database is away: what needs no personal value goes on, the rest says so, and nothing is half done."""

import pytest
from django.db import connections, router
from django.test import Client

from marketplace.accounts.models import User
from privacy.declarations.registry import our_models
from privacy.policy.roles import Role
from privacy.vault import keys
from privacy.wall.context import entered
from privacy.wall.logins import Login
from tests.accounts.people import make_staff, staff_client
from tests.accounts.test_signing_up import FORM
from tests.orders import factories
from tests.orders.conftest import partners

__all__ = ["partners"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-1")]

CLOSED = "We cannot open personal details just now"


@pytest.fixture
def buyer(partners):
    user = factories.make_customer()
    factories.packed(user=user)
    return user


@pytest.fixture
def away(monkeypatch):
    """`away()` cuts the vault off: its address leads nowhere, and this process knows no key any more."""

    def cut_off() -> None:
        vault = connections["vault"]
        vault.close()
        monkeypatch.setitem(vault.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(vault.settings_dict, "PORT", "1")
        keys.cache.clear()

    yield cut_off
    connections["vault"].close()


def rows() -> dict[str, int]:
    """How many rows each table of the main database has."""
    with entered(Login.WORKER):
        return {
            model._meta.label_lower: model._base_manager.count() for model in our_models() if router.allow_migrate_model("default", model)
        }


@pytest.mark.parametrize("path", ["/", "/privacy/policy/", "/sign-in/", "/sign-up/", "/basket/", "/contact/"])
def test_pages_without_a_personal_value_go_on(away, partners, path):
    away()

    assert Client().get(path).status_code in (200, 301, 302, 404)


def test_a_page_with_a_personal_value_says_so_and_opens_nothing(away, buyer):
    client = factories.client_of(buyer)
    assert client.get("/account/details/").status_code == 200
    away()

    page = client.get("/account/details/")

    assert page.status_code == 503
    assert CLOSED in page.content.decode()
    assert "Marker" not in page.content.decode()


def test_signing_up_meanwhile_writes_nothing_at_all(away, partners):
    away()
    before = rows()

    page = Client().post("/sign-up/", FORM)

    assert page.status_code == 503
    assert CLOSED in page.content.decode()
    assert rows() == before
    assert not User.objects.exists()


def test_staff_see_on_their_front_page_that_it_is_away(away, partners):
    client = staff_client(make_staff(Role.ADMINISTRATOR))
    away()

    page = client.get("/admin/")

    assert page.status_code == 200
    assert "The keys&#x27; database does not answer" in page.content.decode()


def test_it_works_again_as_soon_as_the_vault_does(buyer, monkeypatch):
    client = factories.client_of(buyer)
    with monkeypatch.context() as patch:
        vault = connections["vault"]
        vault.close()
        patch.setitem(vault.settings_dict, "HOST", "127.0.0.1")
        patch.setitem(vault.settings_dict, "PORT", "1")
        keys.cache.clear()
        assert client.get("/account/details/").status_code == 503
        connections["vault"].close()

    assert client.get("/account/details/").status_code == 200
