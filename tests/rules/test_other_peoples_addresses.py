"""Every address that names somebody's row is not found for anybody else, whoever adds it (RIGHTS-6)."""

import re
from datetime import timedelta

import pytest
from django.urls import URLPattern, get_resolver

from marketplace.accounts.actions import make_token
from marketplace.accounts.models import AccountSession
from privacy.access.gate import unit_of_work
from privacy.complaints.models import TicketAttachment
from privacy.interface.areas import TokenScope
from privacy.rights.actions import request_copy
from privacy.rights.uses import uses_of
from tests.audit.entries import bind
from tests.orders.conftest import partners  # noqa: F401  the agreements that an order needs
from tests.orders.factories import client_of, handed_over, make_customer
from tests.privacy.complaints.people import ask, text_file

pytestmark = pytest.mark.django_db

BELONGING_TO_SOMEBODY = {"code", "request_id", "record_id", "session_id", "token_id", "ticket_id", "attachment_id", "entry_id"}
BELONGING_TO_NOBODY = {
    "slug": "a product, or a recipient of whoever asks",
    "kind": "a picture",
    "number": "a published policy version",
    "old": "a published policy version",
    "new": "a published policy version",
    "category": "one of the five, of whoever asks",
    "purpose": "one of the purposes, of whoever asks",
    "token": "random, mailed, hashed and expiring: whoever holds it is meant",
    "mail_id": "the demo's mailbox, which is everybody's",
}


def addresses(resolver=None, before=""):
    """(route, names of its parameters) of every page outside the staff site; the calls of programs have tests/api/calls.py."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if route.startswith(("admin/", "api/")):
            continue
        if isinstance(pattern, URLPattern):
            yield route, set(pattern.pattern.converters)
        else:
            yield from addresses(pattern, route)


def test_each_parameter_of_an_address_is_somebodys_or_known_to_be_nobodys():
    known = BELONGING_TO_SOMEBODY | BELONGING_TO_NOBODY.keys()

    assert {route: names - known for route, names in addresses() if names - known} == {}


@pytest.mark.promise("RIGHTS-6")
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_belongs_to_another_person_is_not_found(method):
    owner, stranger = make_customer(), make_customer()
    order = handed_over(user=owner)
    with unit_of_work():
        request = request_copy(by=owner.actor, subject=owner.subject)
        token, _secret = make_token(by=owner.actor, user=owner, scopes=[TokenScope.ORDERS_READ], lasts=timedelta(days=1))
    ticket = ask(owner, files=[text_file()])
    client_of(owner)
    session = AccountSession.objects.filter(user=owner).latest("started_at")
    use = uses_of(owner.subject_id).first()
    bind(use)
    values = {
        "code": order.code,
        "request_id": str(request.pk),
        "record_id": str(order.addresses.get().pk),
        "session_id": str(session.reference),
        "token_id": str(token.pk),
        "ticket_id": str(ticket.pk),
        "attachment_id": str(TicketAttachment.objects.get(message__ticket=ticket).pk),
        "entry_id": str(use.pk),
    }
    mine = [(route, names) for route, names in addresses() if names & BELONGING_TO_SOMEBODY]

    assert len(mine) >= 9
    for route, names in mine:
        path = "/" + route
        for name in names:
            path = re.sub(rf"<\w+:{name}>", values[name], path)
        assert "<" not in path, path
        theirs = getattr(client_of(stranger), method)(path)
        own = client_of(owner).get(path)
        list(own)  # a download is closed by whoever reads it to its end
        assert theirs.status_code in (404, 405), f"{method} {path}: {theirs.status_code}"
        assert theirs.status_code == 405 or own.status_code != 404, f"{method} {path} exists for its owner"
        signed_out = getattr(client_of(stranger).__class__(), method)(path)
        assert signed_out.status_code in (302, 404, 405), f"{method} {path}, signed out: {signed_out.status_code}"
        if signed_out.status_code == 302:
            assert signed_out["Location"].startswith("/sign-in/")
