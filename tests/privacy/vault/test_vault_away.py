"""The keys' database is away: what needs no personal value goes on, the rest says so, and nothing is half done."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connections, router
from django.test import Client

from marketplace.accounts.models import User
from orders.checkout import actions
from privacy.declarations.registry import our_models
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Role
from privacy.vault import keys
from privacy.wall.context import entered
from privacy.wall.logins import Login
from tests.accounts.people import make_staff, staff_client
from tests.accounts.test_signing_up import FORM
from tests.orders import factories
from tests.orders.conftest import partners
from tests.orders.test_checkout_pages import filled
from tests.privacy.rights.people import perform

__all__ = ["partners"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-1")]

CLOSED = "We cannot open personal details just now"


@pytest.fixture
def buyer(partners):
    user = factories.make_customer()
    factories.packed(user=user)
    return user


@contextmanager
def without_vault() -> Iterator[None]:
    """The vault is cut off: its address leads nowhere, and this process knows no key any more."""
    vault = connections["vault"]
    vault.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vault.settings_dict, "HOST", "127.0.0.1")
        patch.setitem(vault.settings_dict, "PORT", "1")
        keys.cache.clear()
        yield
    vault.close()


@pytest.fixture
def away():
    """`away()` cuts the vault off until the test ends."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(without_vault())


def rows() -> dict[str, int]:
    """How many rows each table of the main database has."""
    with entered(Login.WORKER):
        return {
            model._meta.label_lower: model._base_manager.count() for model in our_models() if router.allow_migrate_model("default", model)
        }


@pytest.mark.parametrize("path", ["/", "/privacy/policy/", "/sign-in/", "/sign-up/", "/basket/", "/complain/"])
def test_pages_without_a_personal_value_go_on(away, partners, path):
    away()

    assert Client().get(path).status_code == 200


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


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after the goods are reserved"])
def test_an_order_meanwhile_is_neither_placed_nor_reserved(away, buyer, monkeypatch, is_late):
    client, product = factories.client_of(buyer), factories.make_product(price=2000)
    client.post(f"/basket/{product.slug}/add/", {"quantity": 2})
    sent = filled()
    before = rows(), factories.stock_of(product)
    reserve = actions.reserve_stock
    if is_late:
        monkeypatch.setattr(actions, "reserve_stock", lambda wanted: (reserve(wanted), away()))
    else:
        away()

    page = client.post("/checkout/", sent)

    assert page.status_code == 503
    assert CLOSED in page.content.decode()
    assert (rows(), factories.stock_of(product)) == before
    assert list(client.session["basket"]) == [str(product.pk)], "kept for later"


def test_a_message_to_us_meanwhile_is_not_half_there(away, buyer):
    client = factories.client_of(buyer)
    away()
    before = rows()

    page = client.post("/account/messages/new/", {"kind": "complaint", "body": "Marker words", "token": str(uuid4())})

    assert page.status_code == 503
    assert CLOSED in page.content.decode()
    assert rows() == before


def test_queued_work_waits_until_the_vault_is_back(buyer):
    queued = OutboundMail.objects.filter(subject=buyer.subject).earliest("id")
    before = rows()
    with without_vault():
        perform(queued)

    assert (queued.state, queued.attempts, queued.sent_at) == (OutboundMail.State.QUEUED, 1, None)
    assert rows() == before
    assert mail.outbox == []

    perform(queued)

    assert queued.state == OutboundMail.State.DONE
    assert len(mail.outbox) == 1


def test_staff_see_on_their_front_page_that_it_is_away(away, partners):
    client = staff_client(make_staff(Role.ADMINISTRATOR))
    away()

    page = client.get("/admin/")

    assert page.status_code == 200
    assert "The keys&#x27; database does not answer" in page.content.decode()


def test_it_works_again_as_soon_as_the_vault_does(buyer):
    client = factories.client_of(buyer)
    with without_vault():
        assert client.get("/account/details/").status_code == 503

    assert client.get("/account/details/").status_code == 200
