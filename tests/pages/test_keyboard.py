"""Every page can be used by keyboard alone: Tab reaches everything in order, what has the focus is seen, nothing holds it."""

from typing import Any

import pytest

from tests.pages.browsing import Walker, pages_of, told, walking
from tests.pages.table import CUSTOMERS, PAGES, VISITOR, Page, Who
from tests.pages.world import World

pytestmark = [pytest.mark.browser, pytest.mark.promise("RIGHTS-10")]

PREPARE = """async () => {
    window.fromTheTop();
    await window.settled();
    const visible = element => element.checkVisibility({visibilityProperty: true}) && element.getClientRects().length > 0;
    const grouped = new Set();
    const first = element => {  // of a group of radio buttons Tab reaches one
        if (element.type !== "radio") return true;
        const group = [...document.getElementsByName(element.name)].filter(radio => radio.form === element.form);
        return element === (group.find(radio => radio.checked) ?? group[0]);
    };
    window.looks = element => [null, "::before", "::after"].map(part => {
        const style = getComputedStyle(element, part);
        return [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow, style.borderColor, style.backgroundColor].join();
    }).join() + (element.closest("label, .choice, .data-card, .product-card") ? window.around(element) : "");
    window.around = element => {
        const style = getComputedStyle(element.closest("label, .choice, .data-card, .product-card"));
        return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor].join();
    };
    window.waiting = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")].filter(element =>
        !element.disabled && element.tabIndex >= 0 && visible(element) && first(element) && element.type !== "hidden"
        && (element.tagName !== "SUMMARY" || element === element.parentElement.querySelector(":scope > summary")));
    window.calm = window.waiting.map(window.looks);
    return window.waiting.length;
}"""
STEP = """async () => {
    const element = document.activeElement;
    const place = window.waiting.indexOf(element);
    const seen = () => {
        const box = element.getBoundingClientRect();
        const same = place >= 0 && window.looks(element) === window.calm[place];
        return {same, away: box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth};
    };
    if (seen().same || seen().away) await window.settled();
    return {place, parts: element.type === "date", html: element.outerHTML.slice(0, 120), ...seen()};
}"""
PARTS_OF_A_DATE = 3
"""Tab goes through its day, month, year and calendar one by one."""
FROM_THE_TOP = """window.fromTheTop = () => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
};
window.fromTheTop()"""
"""The next Tab reaches the first thing on the page, wherever the focus was."""
PAST_THE_MENUS = """() => {
    const content = document.querySelector("main#content, #content-start");
    const IN_OR_AFTER = Node.DOCUMENT_POSITION_CONTAINED_BY | Node.DOCUMENT_POSITION_FOLLOWING;
    return document.activeElement === document.body || Boolean(content.compareDocumentPosition(document.activeElement) & IN_OR_AFTER);
}"""


def opened_by_keyboard(walker: Walker) -> list[str]:
    """Everything that unfolds does so with Enter."""
    wrong = []
    for summary in walker.tab.locator("summary:visible").all():
        summary.focus()
        before = summary.evaluate("summary => summary.parentElement.open")
        walker.tab.keyboard.press("Enter")
        if summary.evaluate("summary => summary.parentElement.open") == before:
            wrong.append("Enter does not unfold: " + summary.evaluate("summary => summary.outerHTML.slice(0, 120)"))
    return wrong


def walked(walker: Walker) -> list[str]:
    """From the top of the page to its end by Tab."""
    number = walker.tab.evaluate(PREPARE)
    wrong = []
    for place in range(number):
        walker.tab.keyboard.press("Tab")
        step = walker.tab.evaluate(STEP)
        for _ in range(PARTS_OF_A_DATE):
            if step["place"] != place - 1 or not step["parts"]:
                break
            walker.tab.keyboard.press("Tab")
            step = walker.tab.evaluate(STEP)
        if step["place"] != place:
            expected = walker.tab.evaluate("place => window.waiting[place].outerHTML.slice(0, 120)", place)
            return [*wrong, f"Tab {place + 1} of {number} came to {step['html']}, not to {expected}"]
        if step["same"]:
            wrong.append(f"the focus is not seen on {step['html']}")
        if step["away"]:
            wrong.append(f"the focus is out of sight on {step['html']}")
    walker.tab.keyboard.press("Tab")
    if walker.tab.evaluate(STEP)["place"] == number - 1:
        wrong.append("the focus is caught at the end")
    return wrong


def skipped(walker: Walker) -> list[str]:
    """The first thing that Tab reaches leads past the menus."""
    walker.tab.evaluate(FROM_THE_TOP)
    walker.tab.keyboard.press("Tab")
    walker.tab.keyboard.press("Enter")
    walker.tab.keyboard.press("Tab")
    return [] if walker.tab.evaluate(PAST_THE_MENUS) else ["the first link does not skip to the content"]


def rows_of(who: Who) -> list[Page]:
    """Pages of staff once each, with the first role that sees it: the keyboard does not know roles."""
    if who in CUSTOMERS | {VISITOR}:
        return [row for row in pages_of(who) if who != Who.CUSTOMER or VISITOR not in row.viewers]
    return [row for row in PAGES if row.viewers and row.viewers[0] == who]


@pytest.mark.parametrize("who", [who for who in Who if rows_of(who)])
def test_every_page_works_by_keyboard(browser: Any, world: World, site: str, who: Who):
    wrong = {}

    with walking(browser, world, who, site) as walker:
        for row in rows_of(who):
            found = walker.go(row.address(world))
            if found := found or [*skipped(walker), *opened_by_keyboard(walker), *walked(walker)]:
                wrong[str(row)] = found

    assert not wrong, told(wrong)
