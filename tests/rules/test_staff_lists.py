"""Every list of the staff site, whoever adds it: the same queries for few rows and for many, and nothing but masks."""

import pytest
from django.contrib import admin
from django.urls import reverse

from orders.parcels.actions import deliver_parcel
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.retention.actions import start_purge
from privacy.rights.actions import request_copy
from privacy.sharing.actions import tell_holders
from privacy.sharing.models import FollowUp
from tests.accounts.people import make_staff, staff_client
from tests.orders.conftest import partners  # noqa: F401  the agreements that an order needs
from tests.orders.factories import actor, count_queries, handed_over, make_customer, parcel_of

pytestmark = pytest.mark.django_db

TEST = Actor.job("test")
MARKERS = ("Marker", "10115", "SB0123456789")


def live_once() -> None:
    """One customer's rows in as many tables as the actions fill."""
    customer = make_customer()
    order = handed_over(user=customer)
    with unit_of_work():
        deliver_parcel(by=actor(Role.FULFILLMENT), parcel=parcel_of(order))
        contact = order.contacts.get()
        officer = actor(Role.SUPPORT)
        with open_access(by=officer, purpose=Purpose.ORDER, subject=customer.subject, reason="asked about it", case=order) as grant:
            grant.open(contact.name)
        request_copy(by=customer.actor, subject=customer.subject)
        tell_holders(by=TEST, subject_id=customer.subject_id, kind=FollowUp.Kind.CORRECTION)
        start_purge(by=TEST, dry_run=True, at_once=False)


def lists(client) -> dict[str, int]:
    """Queries by address, for the lists that this member of staff can see; none shows a value in clear."""
    counts = {}
    for model in admin.site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        response = client.get(address)
        if response.status_code == 200:
            assert not any(marker in response.content.decode() for marker in MARKERS), address
            counts[address] = count_queries(lambda address=address: client.get(address))
    return counts


@pytest.mark.promise("PROTECT-4")
def test_no_staff_list_grows_in_queries_or_shows_a_value():
    clients = {role: staff_client(make_staff(role, f"{role}@example.org"), f"{role}@example.org") for role in sorted(STAFF_ROLES)}
    live_once()
    few = {role: lists(client) for role, client in clients.items()}
    for _ in range(3):
        live_once()

    many = {role: lists(client) for role, client in clients.items()}

    assert len({address for seen in few.values() for address in seen}) == len(admin.site._registry), "somebody sees each list"
    grown = {
        (role, address): (few[role][address], number)
        for role, seen in many.items()
        for address, number in seen.items()
        if number > few[role][address]
    }
    assert grown == {}
