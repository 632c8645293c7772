"""The reference for people: complete, without scripts, and readable by the browser under our content policy."""

import pytest
from django.urls import reverse

from marketplace.api.problems import PROBLEMS
from marketplace.api.reference import operations_by_tag
from marketplace.api.schema import schema_document
from privacy.interface.areas import TokenScope
from tests.api.calls import CALLS

pytestmark = pytest.mark.django_db


def test_reference_shows_every_call_scope_and_problem(client, partners):
    page = client.get(reverse("api:reference")).content.decode()

    for operations in operations_by_tag(schema_document()).values():
        for call in operations:
            assert f'id="{call.anchor}"' in page
            assert call.summary
    assert sum(map(len, operations_by_tag(schema_document()).values())) == len(CALLS)
    assert all(f"<code>{scope}</code>" in page for scope in TokenScope.values)
    assert all(f'id="problem-{code}"' in page for code in PROBLEMS)


def test_the_type_of_a_problem_leads_to_its_row(client, settings, partners):
    settings.SITE_URL = "https://shop.example.com"
    address = client.get("/api/v1/nothing").json()["type"]

    page, _, anchor = address.removeprefix("https://shop.example.com").partition("#")

    assert f'id="{anchor}"' in client.get(page).content.decode()


def test_an_example_names_what_the_call_needs():
    calls = {call.anchor: call for group in operations_by_tag(schema_document()).values() for call in group}

    example = calls["post-correction-maker"].example

    assert "Authorization: Bearer mkt_" in example
    assert "Idempotency-Key" in example
    assert '"record"' in example
    assert '"reason"' not in example
    assert "Authorization" not in calls["get-product-list"].example
    assert not calls["post-erasure-maker"].needs_token


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_reference_opens_without_a_complaint_of_the_browser(live_server, page, width):
    complaints, hosts = [], set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.set_viewport_size({"width": width, "height": 800})

    page.goto(live_server.url + reverse("api:reference"))
    page.locator("article details").nth(20).locator("summary").click()

    assert complaints == []
    assert hosts == {live_server.url.split("/")[2]}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
