"""Every form of every page, sent with marked values and then with one field too many: nothing of it is left in clear.

What the actions behind the forms do with marked values is in `tests/rules/test_actions.py`; here it is about what lies
between: sessions, logs, the cache, redirects, error pages, and forms that refuse what was typed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import resolve

from audit import security_log
from marketplace.accounts.models import AccountSession
from marketplace.accounts.sessions import SessionStore
from marketplace.errors import FrameFormatter, WithoutValues
from privacy.access.forms import StrictForm, StrictModelForm
from tests.databases import TestDatabases
from tests.pages.table import PAGES, Page, Who
from tests.pages.world import World
from tests.rules import canaries, traces

OURS = {
    "orders_product": "what the shop says of its goods",
    "orders_productcategory": "the same",
    "orders_productpicture": "the same",
    "privacy_policydraft": "the words of the policy",
    "privacy_operatoridentity": "who runs the shop: published",
    "privacy_cannedreply": "words of ours",
    "privacy_recipient": "the register of partners: organizations",
    "privacy_agreement": "the same",
    "privacy_keptsearch": "what staff call a search of theirs; a name cannot be told from another word",
}
"""Tables in which staff write about the shop and not about a person."""

BY_TYPE = {"email": canaries.mailbox, "tel": lambda: canaries.PHONE, "password": lambda: canaries.PASSWORD, "text": lambda: canaries.NAME}
KEPT_AS_THEY_ARE = ("hidden", "number", "date", "datetime-local", "time", "range")


@dataclass
class Form:
    action: str
    values: dict[str, Any] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page that are posted, filled in."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.form: Form | None = None
        self.choice = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attributes}
        name = known.get("name", "")
        if tag == "form":
            self.form = Form(known.get("action", "")) if known.get("method", "").lower() == "post" else None
            if self.form is not None:
                self.found.append(self.form)
        elif self.form is not None and tag == "select":
            self.choice = name
        elif self.form is not None and tag == "option" and self.choice and known.get("value"):
            self.form.values.setdefault(self.choice, known["value"])
        elif self.form is not None and tag == "textarea":
            self.form.values[name] = canaries.WORDS
        elif self.form is not None and name and tag in ("input", "button"):
            self._fill(self.form.values, name, known)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.choice = ""

    def _fill(self, values: dict[str, Any], name: str, known: dict[str, str]) -> None:
        kind = known.get("type", "text")
        if kind == "file":
            values[name] = SimpleUploadedFile(canaries.FILE_NAME, canaries.FILE_CONTENT, "text/plain")
        elif kind in ("checkbox", "radio", "submit", "button"):
            values.setdefault(name, known.get("value", "on"))
        elif kind in KEPT_AS_THEY_ARE:
            values[name] = known.get("value") or "1"
        else:
            values[name] = BY_TYPE.get(kind, BY_TYPE["text"])()


@pytest.fixture(scope="module")
def eyes(world: World, django_db_blocker: Any, test_databases: TestDatabases) -> Iterator[None]:
    with django_db_blocker.unblock(), traces.installed(test_databases):
        yield


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> set[type]:
    """The classes of the forms that were asked whether they are valid."""
    seen: set[type] = set()
    for form in (StrictForm, StrictModelForm):
        full_clean = form.full_clean

        def note(self: Any, full_clean: Any = full_clean) -> None:
            seen.add(type(self))
            full_clean(self)

        monkeypatch.setattr(form, "full_clean", note)
    return seen


@pytest.mark.promise("PROTECT-1")
@pytest.mark.promise("PROTECT-4")
@pytest.mark.usefixtures("eyes", "db")
def test_no_form_leaves_a_marked_value_in_clear(world: World, sent: set[type], caplog: Any, settings: Any):
    settings.STAFF_EXPORTS = True
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(FrameFormatter("%(name)s %(message)s"))
    caplog.handler.addFilter(WithoutValues())
    security_log.write_security_log()
    leaks: dict[str, list[str]] = {}
    sent_before: set[tuple[str, ...]] = set()
    try:
        for row in (row for row in PAGES if row.viewers):
            if found := list(leaks_of(world, row, sent_before, caplog)):
                leaks[str(row)] = found
    finally:
        security_log.write_security_log(False)

    assert leaks == {}
    assert len(sent) > 20, "most forms were really sent"


def leaks_of(world: World, row: Page, sent_before: set[tuple[str, ...]], caplog: Any) -> Iterator[str]:
    """Send each form of a page that was not on an earlier one, look everywhere, and take it back."""
    who = Who.CUSTOMER if Who.CUSTOMER in row.viewers else row.viewers[0]
    client, address = world.clients[who], row.address(world)
    here = transaction.savepoint()
    page = client.get(address)
    for form in Forms(page.content.decode()).found if not page.streaming else []:
        target = urljoin(address, form.action) if form.action else address
        key = (who.value, resolve(urlsplit(target).path).route, *sorted(form.values))
        if key in sent_before:
            continue
        sent_before.add(key)
        for values in (form.values, form.values | {f"{canaries.MARK}-field": canaries.NAME}):
            cookies = deepcopy(client.cookies)
            answer = client.post(target, values, **canaries.BROWSER)
            client.cookies = cookies  # one of the forms signs out
            yield from (f"an address: {answer['Location']}" for _ in canaries.found_in(answer.get("Location", "")))
            yield from (f"{place}: {found[0]!r}" for place, content in left(caplog) if (found := canaries.found_in(content)))
            transaction.savepoint_rollback(here)
            here = transaction.savepoint()
            caplog.clear()
            cache.clear()
            mail.outbox.clear()


def left(caplog: Any) -> Iterator[tuple[str, str | bytes]]:
    for alias in ("default", "vault"):
        yield from ((place, content) for place, content in traces.rows(alias) if place.rpartition(".")[2] not in OURS)
    yield from ((name, name) for name in traces.files())
    yield from traces.queue_and_cache()
    yield "the log lines", caplog.text
    yield from (("the subject of a mail", message.subject) for message in mail.outbox)
    for session in AccountSession.objects.all():
        yield "a session", str(decoded(session))


def decoded(session: AccountSession) -> dict[str, Any]:
    store: SessionBase = SessionStore()
    return store.decode(session.session_data)
