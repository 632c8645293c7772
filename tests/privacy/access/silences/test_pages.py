"""Whoever asks and decides sees which entries are to be withheld; everybody else sees that something is asked for."""

import re

import pytest

from audit.models import Entry
from privacy.access.silences.actions import can_be_withheld
from privacy.policy.roles import Role
from tests.accounts.people import make_staff, staff_client
from tests.privacy.access.silences.test_silences import ask, look, withhold

pytestmark = [pytest.mark.django_db, pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-3")]


def browser_of(role):
    address = f"{role.value}@example.org"
    return staff_client(make_staff(role, address), address)


def page_of(client, row):
    return client.get(row.get_absolute_url()).content.decode()


def test_who_decides_is_led_to_each_entry_and_nobody_else_is(buyer, agent, officer):
    entry = look(buyer, agent)
    proposal = ask(officer, [entry])

    seen, others = page_of(browser_of(Role.ADMINISTRATOR), proposal), page_of(browser_of(Role.FINANCE), proposal)

    assert f"/admin/audit/entry/{entry.pk}/change/" in seen
    assert "Support: privacy.data.opened" in seen
    assert str(entry.pk) not in others


def test_what_was_decided_leads_to_what_is_withheld(buyer, agent, officer, second):
    entry = look(buyer, agent)
    silence = withhold(officer, second, [entry])
    client = browser_of(Role.PRIVACY_OFFICER)

    assert f'href="{silence.get_absolute_url()}"' in page_of(client, silence.proposal)
    shown = page_of(client, silence)
    assert "in force" in shown
    assert f"/admin/audit/entry/{entry.pk}/change/" in shown


def test_lists_say_yes_and_no_and_an_empty_one_says_so(buyer, agent, officer, second):
    client, address = browser_of(Role.PRIVACY_OFFICER), "/admin/privacy/silence/"
    assert "There is nothing here." in client.get(address).content.decode()

    withhold(officer, second, [look(buyer, agent)])
    page = client.get(address).content.decode()
    filtered = client.get(f"{address}?released_at__isempty=0").content.decode()

    assert "Not empty" not in page
    assert "There is nothing here." not in page
    assert "Nothing matches these filters." in filtered


def test_looks_are_chosen_in_the_search_for_one_person(buyer, agent, officer):
    chosen = [look(buyer, agent), look(buyer, agent)]
    client, about = browser_of(Role.PRIVACY_OFFICER), f"/admin/audit/entry/?person={buyer.subject_id}"

    page = client.get(about).content.decode()
    offered = set(re.findall(r'name="entries" value="([^"]+)"', page))
    ids = sorted(str(entry.pk) for entry in chosen)
    form = client.get("/admin/privacy/proposal/ask/silence/", {"entries": ids}).content.decode()

    assert offered == {str(entry.pk) for entry in Entry.objects.filter(subject_id=buyer.subject_id) if can_be_withheld(entry)} > set(ids)
    assert 'action="/admin/privacy/proposal/ask/silence/"' in page
    assert "\n".join(ids) in form
    assert 'name="entries" value=' not in client.get("/admin/audit/entry/?event=privacy.data.opened").content.decode()
    assert 'name="entries" value=' not in browser_of(Role.AUDITOR).get(about).content.decode()
