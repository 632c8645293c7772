"""From the search to the file and back: whoever decides sees what was searched for, and whoever asked finds the file."""

import pytest

from privacy.policy.roles import Role
from tests.accounts.people import make_staff, staff_client
from tests.privacy.access.silences.test_silences import look
from tests.privacy.log_search.test_bundles import ask, made

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("USE-3"), pytest.mark.promise("COLLECT-5")]


def page_of(client, row):
    return client.get(row.get_absolute_url()).content.decode()


def test_who_decides_is_led_to_what_the_search_finds(officer, buyer, agent):
    look(buyer, agent)
    proposal = ask(officer, buyer)

    page = page_of(staff_client(make_staff(Role.SECURITY, "security@example.org"), "security@example.org"), proposal)

    assert f"/admin/audit/entry/?person={buyer.subject_id}&amp;role=support" in page


def test_who_asked_is_led_to_the_file(officer, second, buyer, agent):
    look(buyer, agent)
    export = made(officer, second, buyer)

    assert f'href="{export.get_absolute_url()}"' in page_of(staff_client(officer, "asks@example.org"), export.proposal)
