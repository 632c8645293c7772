"""One person at a browser who goes through the pages of the table, and what is wrong with each page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Page as Tab

from tests.pages.table import PAGES, Page, Who
from tests.pages.world import World

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN_AXE = """async tags => {
    await window.settled();
    const found = await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"], preload: false});
    return found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 150)}`));
}"""

FIRST = """window.refused = [];
document.addEventListener("securitypolicyviolation", event => window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
window.settled = async () => {
    const frame = () => new Promise(requestAnimationFrame);
    do { await frame(); await frame(); } while (document.getAnimations().some(animation => animation.playState === "running"));
};"""
"""Runs before any script of a page: hears what the content policy refuses, and can wait until nothing moves."""
LOOK = """([language, markup]) => {
    const served = new DOMParser().parseFromString(markup, "text/html");
    const start = element => element.outerHTML.slice(0, 120);
    const wrong = window.refused.map(what => "refused by the content policy: " + what);
    for (const element of served.querySelectorAll("[style]")) wrong.push("a style attribute: " + start(element));
    for (const element of served.querySelectorAll("style, script:not([src]):not([type='application/json'])"))
        wrong.push("inline: " + start(element));
    for (const element of served.querySelectorAll("*"))
        for (const name of element.getAttributeNames()) if (name.startsWith("on")) wrong.push("a handler: " + start(element));
    for (const image of document.querySelectorAll("img:not([alt])")) wrong.push("a picture without words: " + start(image));
    const headings = [...document.querySelectorAll("h1")].filter(heading => heading.innerText.trim());
    if (headings.length !== 1) wrong.push(`${headings.length} main headings`);
    if (document.documentElement.lang !== language) wrong.push("the page's language is " + document.documentElement.lang);
    if ((language === "ar") !== (getComputedStyle(document.body).direction === "rtl")) wrong.push("written in the wrong direction");
    return wrong;
}"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Walker:
    """Opens pages and collects what is wrong with them. A page that answers with another one is wrong."""

    def __init__(self, tab: Tab, url: str, language: str) -> None:
        self.tab = tab
        self.url = url
        self.language = language
        self.heard: list[str] = []
        self.markup = ""
        tab.on(
            "console",
            lambda message: self.heard.append(f"{message.type}: {message.text}") if message.type in ("error", "warning") else None,
        )
        tab.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        tab.on("request", self._watch)

    def _watch(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.heard.append(f"asked another host: {request.url}")

    def go(self, address: str) -> list[str]:
        """Open a page in the wide window; what is wrong before anybody looks closer."""
        self.heard.clear()
        self.tab.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.tab.set_viewport_size(WIDE)  # type: ignore[arg-type]
        response = self.tab.goto(self.url + address, wait_until="load")
        assert response is not None
        if response.status != 200 or self.tab.url != self.url + address:
            return [f"came to {self.tab.url.removeprefix(self.url)} with status {response.status}"]
        self.markup = response.text()
        return []

    def look(self, address: str, *, twice: bool = True) -> list[str]:
        """Everything that is wrong with a page: narrow and dark, and when looked at ``twice``, wide and light too.

        What the console says is taken before axe comes in: it tries styles that the content policy refuses.
        """
        if wrong := self.go(address):
            return wrong
        wrong = [*self.tab.evaluate(LOOK, [self.language, self.markup]), *self.heard]
        self.tab.evaluate(AXE)
        if twice:
            wrong += [f"wide and light, {finding}" for finding in self.tab.evaluate(RUN_AXE, WCAG)]
        self.tab.emulate_media(color_scheme="dark", reduced_motion="reduce")
        self.tab.set_viewport_size(NARROW)  # type: ignore[arg-type]
        wrong += [f"narrow and dark, {finding}" for finding in self.tab.evaluate(RUN_AXE, WCAG)]
        if (pixels := self.tab.evaluate(WIDER)) > 0:
            wrong.append(f"narrow: {pixels} pixels too wide")
        return wrong


def context_of(browser: Browser, world: World, who: Who, url: str, language: str = "en", **how: Any) -> BrowserContext:
    """A browser of its own, in which this person is signed in as in their client."""
    context = browser.new_context(locale=language, viewport=WIDE, **how)  # type: ignore[arg-type]
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        if cookie := world.clients[who].cookies.get(name):
            context.add_cookies([{"name": name, "value": cookie.value, "url": url}])
    return context


@contextmanager
def walking(browser: Browser, world: World, who: Who, url: str, language: str = "en") -> Iterator[Walker]:
    context = context_of(browser, world, who, url, language)
    context.add_init_script(FIRST)
    yield Walker(context.new_page(), url, language)
    context.close()


PUBLIC_PAGE_OF_STAFF = "orders:front"


def pages_of(who: Who) -> list[Page]:
    """The pages that this person is the right one to look at: what looks the same for everybody is looked at by few."""
    seen = [row for row in PAGES if who in row.viewers]
    if who in (Who.VISITOR, Who.CUSTOMER):
        return seen
    if who == Who.OTHER:
        return [row for row in seen if Who.CUSTOMER not in row.viewers]
    if who == Who.GUEST:
        return [row for row in seen if Who.VISITOR not in row.viewers]
    return [row for row in seen if row.is_staff_page or row.name in (PUBLIC_PAGE_OF_STAFF, "accounts:second-factor")]


def told(wrong: dict[str, list[str]]) -> str:
    """What was found, for whoever has to mend it."""
    return "\n".join(f"{where}\n    " + "\n    ".join(sorted(set(found))) for where, found in wrong.items())
