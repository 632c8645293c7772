"""Each role on each page gets what the table says: the page, masks, or a refusal; never another person's values.

In no transaction of the test's, so that each request runs by its own login, a customer's behind the wall.
"""

from typing import Any

import pytest
from django.http import HttpResponse

from tests.pages.table import CANARY, PAGES, Answer, Page, Who
from tests.pages.world import CANARY_MARKS, World

ENDS = {answer.value: answer for answer in (Answer.SIGN_IN, Answer.SECOND_FACTOR, Answer.ACCOUNT, Answer.STAFF_SITE, Answer.BASKET)}
REFUSALS = {403: Answer.FORBIDDEN, 404: Answer.NOT_FOUND}


def answer_of(response: Any, address: str) -> str:
    """What somebody got who followed every redirect."""
    if response.status_code in REFUSALS:
        return REFUSALS[response.status_code]
    if response.status_code != 200:
        return f"status {response.status_code}"
    path = response.request["PATH_INFO"]
    if path == address.partition("?")[0]:
        return Answer.SEES
    return ENDS.get(path, Answer.ELSEWHERE)


def marks_on(response: HttpResponse) -> set[Who]:
    """Whose values are on the page."""
    text = response.content.decode().lower()
    return {who for who, mark in CANARY_MARKS.items() if mark.lower() in text}


def readers_of(row: Page) -> set[Who]:
    """Whose own values have to be there: a guest has no account, whose details fill most pages."""
    return {Who.GUEST} if Who.CUSTOMER not in row.viewers and Who.OTHER not in row.viewers else {Who.CUSTOMER, Who.OTHER}


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("row", PAGES, ids=str)
def test_everybody_gets_what_the_table_says(world: World, row: Page):
    address = row.address(world)
    answers, strangers, missing = {}, {}, set()
    for who, client in world.clients.items():
        response = client.get(address, follow=True)
        answers[who] = answer_of(response, address)
        marks = marks_on(response)
        if others := marks - {who}:
            strangers[who] = others
        if row.shows == CANARY and row.audience[who] == Answer.SEES and who in readers_of(row) - marks:
            missing.add(who)

    assert set(answers) == set(Who), "everybody came by"
    surprises = {who.value: f"{answer}, not {row.audience[who]}" for who, answer in answers.items() if answer != row.audience[who]}
    assert surprises == {}
    assert strangers == {}, "somebody reads another person's values"
    assert missing == set(), "these do not see their own values"
