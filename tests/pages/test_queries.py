"""Every page takes the same queries for few things and for many, each by the login of whoever sees it."""

import re

from tests.orders.factories import count_queries
from tests.pages.table import PAGES, Page, Who
from tests.pages.world import World, grow

MORE = 27
LONG = 50
"""A list that shows so much at first fills its page already."""
LISTED = re.compile(r"<(?:li|tr|article|dt|option)\b")


def measured(world: World, row: Page) -> tuple[int, int]:
    """Queries of the page for one who sees it, on a second look; and how many things it lists."""
    who = Who.CUSTOMER if Who.CUSTOMER in row.viewers else row.viewers[0]
    client, address = world.clients[who], row.address(world)
    response = client.get(address)
    assert response.status_code == 200, f"{row}: {response.status_code}"
    return count_queries(lambda: client.get(address)), len(LISTED.findall(response.content.decode()))


def test_no_page_grows_in_queries(world: World):
    seen = [row for row in PAGES if row.viewers]
    few = {row: measured(world, row) for row in seen}
    grow(world, MORE)

    many = {row: measured(world, row) for row in seen}

    grown = {str(row): (few[row][0], many[row][0]) for row in seen if many[row][0] > few[row][0]}
    assert grown == {}, "queries before and after"
    short = {str(row): (few[row][1], many[row][1]) for row in seen if row.grows and few[row][1] < LONG and many[row][1] < few[row][1] + 10}
    assert short == {}, "these lists should have grown, or nothing was measured"
