"""No link leads nowhere: every address found on any page answers, every fragment is there, and leaving us is declared."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import Resolver404, resolve

from tests.pages.table import CUSTOMER, STAFF, Answer, Who
from tests.pages.table import PAGES as ROWS
from tests.pages.world import World

pytestmark = pytest.mark.django_db

HERE = "http://testserver"
SHOWN_AS_LINKS = ("/admin/privacy/operatoridentity/",)
"""Django's admin makes links of the addresses that the operator entered."""
OF_A_KIND = 6
"""So many addresses of one page are followed: a list of staff can be filtered and sorted in more ways than anybody tries."""


@dataclass
class Markup(HTMLParser):
    """The links of a page, and the names that a fragment can lead to."""

    links: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag, attributes) -> None:
        values = {name: value or "" for name, value in attributes}
        if "id" in values:
            self.names.add(values["id"])
        address = {"a": "href", "link": "href", "script": "src", "img": "src", "use": "href"}.get(tag)
        if address in values:
            self.links.append((values[address], values))


class Crawler:
    """Follows every link from where somebody starts, each address once."""

    def __init__(self, client) -> None:
        self.client = client
        self.pages: dict[str, Markup | None] = {}
        self.seen: set[str] = set()
        self.wrong: set[str] = set()
        self.followed: Counter[str] = Counter()

    def crawl(self, starts: list[str]) -> None:
        waiting = [(start, "the start") for start in starts]
        while waiting:
            address, found_on = waiting.pop()
            if address not in self.pages:
                waiting += [(link, address) for link in self._visit(address, found_on)]
        self._check_fragments()

    def _visit(self, address: str, found_on: str) -> list[str]:
        response = self.client.get(address, follow=True)
        self.pages[address] = None
        if response.status_code != 200:
            self.wrong.add(f"{found_on} links to {address}: {response.status_code}")
        elif "text/html" in response["Content-Type"]:
            self.pages[address] = markup = Markup()
            markup.feed(response.content.decode())
            markup.base = response.request["PATH_INFO"]
            return [link for link in self._links_of(markup) if self._is_new(link)]
        response.getvalue()
        return []

    def _links_of(self, markup: Markup) -> list[str]:
        inside = []
        for link, values in markup.links:
            target = urljoin(HERE + markup.base, link)
            if target.startswith(HERE + settings.STATIC_URL):
                if not finders.find(target.removeprefix(HERE + settings.STATIC_URL)):
                    self.wrong.add(f"{markup.base} links to {link}, and there is no such file")
            elif target.startswith(HERE + "/"):
                inside.append(urldefrag(target.removeprefix(HERE)).url)
            elif not is_declared(target, values) and not markup.base.startswith(SHOWN_AS_LINKS):
                self.wrong.add(f"{markup.base} leaves us without saying so: {link}")
        return inside

    def _is_new(self, address: str) -> bool:
        path = address.partition("?")[0]
        if address in self.seen:
            return False
        self.seen.add(address)
        kind = kind_of(path)
        self.followed[kind] += 1
        return self.followed[kind] <= OF_A_KIND

    def _check_fragments(self) -> None:
        for address, markup in self.pages.items():
            for link, _values in markup.links if markup else []:
                target, fragment = urldefrag(urljoin(HERE + markup.base, link))
                there = self.pages.get(target.removeprefix(HERE))
                if fragment and there and fragment not in there.names | {"top"}:
                    self.wrong.add(f"{address} links to {link}, and there is no such place")


def is_declared(target: str, values: dict[str, str]) -> bool:
    """Mail and telephone are no pages; another host is not told where the reader came from."""
    scheme = urlsplit(target).scheme
    return scheme in ("mailto", "tel") or (scheme == "https" and "noreferrer" in values.get("rel", "").split())


@pytest.mark.parametrize("who", [who for who in Who if who != Who.HALF])
def test_every_link_leads_somewhere(world: World, who: Who):
    crawler = Crawler(world.clients[who])

    crawler.crawl(["/", "/admin/"] if who in STAFF else ["/"])

    assert crawler.wrong == set()
    assert len(crawler.pages) > 10, "there was something to follow"


def kind_of(path: str) -> str:
    """The name of the page; the path itself where a middleware answers, as for the log's tiles."""
    try:
        return resolve(path).view_name
    except Resolver404:
        return path


def test_every_page_of_a_customer_is_linked_from_somewhere(world: World):
    """Or is one of those that only a mail, a form or a state leads to."""
    crawler = Crawler(world.clients[CUSTOMER])
    crawler.crawl(["/"])
    visited = {kind_of(address.partition("?")[0]) for address in crawler.pages}

    lost = {row.name for row in ROWS if row.audience[CUSTOMER] == Answer.SEES and not row.is_staff_page} - visited

    assert lost - NOT_LINKED == set()


NOT_LINKED = {
    "accounts:agree",
    "accounts:confirm",
    "accounts:end-others",
    "accounts:enroll",
    "accounts:invitation",
    "accounts:password-reset",
    "accounts:password-reset-sent",
    "accounts:password-reset-set",
    "accounts:refuse",
    "accounts:sign-up-sent",
    "demo:message",
    "orders:guest",
    "orders:lookup-sent",
    "orders:placed",
    "orders:search",
    "privacy:complain-link",
    "privacy:complain-sent",
    "privacy:receipt",
    "privacy:time-line",
}
"""Reached by a mailed link, by a form, signed out, with a second browser signed in, or once many things have a day to go."""
