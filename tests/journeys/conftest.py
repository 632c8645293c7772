"""What a journey needs beside the browser: products, partners, staff, beat and the outside."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core.cache import cache
from playwright.sync_api import Page, expect

from marketplace.demo.catalogue import add_demo_products
from marketplace.demo.partners import register_demo_partners
from marketplace.pulse import pulse_age
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor, Role
from tests.accounts.people import PASSWORD, fresh_code, make_staff
from tests.processes import LiveProcess, wait_until

PATIENCE = 40_000  # milliseconds; the other core may be busy with another test


class LiveBeat(LiveProcess):
    """A real Celery beat, so that everything on the timetable happens by itself."""

    def __init__(self, **variables: str) -> None:
        command = ["-m", "celery", "-A", "marketplace.celery", "beat", "--pidfile="]
        super().__init__("beat", command, MARKETPLACE_DB_ROLE="worker", **variables)

    def start(self) -> None:
        cache.delete("pulse:beat")
        super().start()

    def is_ready(self) -> bool:
        return pulse_age("beat") is not None


class Visitor:
    """Somebody at a browser of their own."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("request", self._watch)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _watch(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.complaints.append(f"asked another host: {request.url}")

    def go(self, path: str) -> None:
        response = self.page.goto(self.url + path)
        assert response is not None
        assert response.ok, f"{path}: {response.status}"

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).last.click()
        self.page.wait_for_load_state()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.click()
        self.page.wait_for_load_state()

    def fill(self, label: str, value: str) -> None:
        self.page.get_by_label(label).first.fill(value)

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)

    @property
    def text(self) -> str:
        return self.page.inner_text("body")

    def reload_until(self, text: str) -> None:
        def seen() -> bool:
            self.page.reload()
            return text in self.text

        wait_until(seen, f"{text!r} on {self.page.url}")

    def read_mail(self, subject: str) -> None:
        """Open the newest mail with this subject line in the demo's mailbox."""

        def arrived() -> bool:
            self.go("/demo/mailbox/")
            return self.page.get_by_role("link", name=subject).count() > 0

        wait_until(arrived, f"a mail {subject!r}")
        self.follow(subject)


@pytest.fixture
def beat(live_site: Any) -> Iterator[LiveBeat]:
    running = LiveBeat(SITE_URL=live_site.url, SANDBOX_URL=live_site.sandbox.url)
    running.start()
    yield running
    running.kill9()


@pytest.fixture
def shop(live_site: Any) -> Any:
    """The site with something to sell, and partners under agreement."""
    by = Actor.job("test")
    with unit_of_work():
        add_demo_products(by=by)
        register_demo_partners(by=by)
    return live_site


@pytest.fixture
def visitor(browser: Any, shop: Any) -> Iterator[Callable[[], Visitor]]:
    """``visitor()`` is another person, with cookies of their own; ``visitor(java_script_enabled=False)`` has no scripts."""
    contexts = []

    def arrive(**how: Any) -> Visitor:
        contexts.append(browser.new_context(locale="en-US", **how))
        return Visitor(contexts[-1].new_page(), shop.url)

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture
def staff(visitor: Callable[[], Visitor]) -> Callable[[Role], Visitor]:
    """``staff(Role.SUPPORT)`` has signed in with the second factor."""

    def sign_in(role: Role) -> Visitor:
        address = f"{role.value}@example.org"
        user = make_staff(role=role, email=address)
        person = visitor()
        person.go("/sign-in/")
        person.fill("Email", address)
        person.fill("Password", PASSWORD)
        person.press("Sign in")
        person.fill("code", fresh_code(user))
        person.press("Go on")
        return person

    return sign_in


@pytest.fixture(autouse=True)
def clean_mailbox() -> Iterator[None]:
    yield
    for sealed in (site_settings.STATE / "mailbox").glob("*"):
        sealed.unlink()
