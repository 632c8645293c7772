"""Every page in a real browser, by everybody who sees it: accessible, quiet, self-contained, and no wider than a phone."""

from typing import Any

import pytest

from tests.pages.browsing import pages_of, told, walking
from tests.pages.table import CUSTOMERS, VISITOR, Page, Who
from tests.pages.world import World

pytestmark = [pytest.mark.browser]

WALKS = [(who, "en") for who in Who] + [(who, "ar") for who in Who if who in {VISITOR} | CUSTOMERS]


def is_first(who: Who, row: Page) -> bool:
    """A page of staff looks much the same to each role: the first one looks closest."""
    return not row.is_staff_page or row.viewers[0] == who


@pytest.mark.promise("RIGHTS-10")
@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize(("who", "language"), WALKS)
def test_nothing_is_wrong_with_any_page(browser: Any, world: World, site: str, who: Who, language: str):
    rows = pages_of(who)
    assert rows

    with walking(browser, world, who, site, language) as walker:
        wrong = {str(row): found for row in rows if (found := walker.look(row.address(world), twice=is_first(who, row)))}

    assert not wrong, told(wrong)


def test_choosing_a_country_is_quiet(browser: Any, world: World, site: str):
    """A part of the checkout is exchanged in place: nothing that the content policy refuses."""
    with walking(browser, world, VISITOR, site) as walker:
        walker.tab.goto(f"{site}/products/{world.product.slug}/")
        walker.tab.get_by_role("button", name="Put into the basket").click()
        walker.tab.goto(f"{site}/checkout/")
        walker.tab.get_by_role("link", name="Go on without an account").click()
        walker.tab.get_by_label("Country").select_option("DE")
        walker.tab.get_by_label("Street and house number").wait_for()
        refused = walker.tab.evaluate("window.refused")

    assert [*refused, *walker.heard] == []
