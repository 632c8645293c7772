"""The lines that a security monitor reads: valid by the published schema, about what happened, and without a value of anybody's."""

import json
import logging
import subprocess
import sys
from contextlib import contextmanager

import jsonschema
import pytest
from django.db import transaction
from django.test import Client, RequestFactory

from audit import security_log
from audit.events import Event
from audit.identifiers import uuid7
from audit.models import Entry
from audit.record import NewEntry, record, record_many
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from tests.accounts import people
from tests.databases import slot_environment
from tests.orders import factories
from tests.settings import ROOT

pytestmark = [pytest.mark.promise("PROTECT-2"), pytest.mark.promise("USE-3")]

SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "security-log.schema.json").read_text()))
BY = Actor.job("test")


class Lines(logging.Handler):
    """Hears what goes to standard output elsewhere."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def emit(self, record):
        self.heard.append(record.getMessage())

    @property
    def read(self):
        return [checked(line) for line in self.heard]

    def named(self, word):
        return [line for line in self.read if line["event"].startswith(f"{word}:")]


def checked(line):
    assert "\n" not in line
    read = json.loads(line)
    SCHEMA.validate(read)
    return read


@contextmanager
def listening():
    lines = Lines()
    security_log.logger.addHandler(lines)
    security_log.write_security_log()
    try:
        yield lines
    finally:
        security_log.write_security_log(False)
        security_log.logger.removeHandler(lines)


@pytest.fixture
def lines():
    with listening() as heard:
        yield heard


@pytest.mark.usefixtures("transactional_db")
def test_a_line_says_what_the_entry_says(lines):
    person, letter = uuid7(), factories.make_customer().subject
    lines.heard.clear()
    with transaction.atomic():
        entry = record(Event.DATA_OPENED, by=Actor(Role.SUPPORT, person), subject=letter, object=letter, purpose="order")

    (line,) = lines.named("sensitive_read")

    assert line["event"] == f"sensitive_read:support/{person},{letter.pk},privacy.subject/{letter.pk}"
    assert (line["entry"], line["entry_event"], line["purpose"], line["level"]) == (str(entry), "privacy.data.opened", "order", "WARN")
    assert line["datetime"].endswith("+00:00")
    assert "request_id" not in line


@pytest.mark.usefixtures("transactional_db")
def test_an_event_without_a_word_has_no_line_and_one_with_two_has_two(lines):
    with transaction.atomic():
        record_many([NewEntry(event=Event.ORDER_PLACED, by=BY), NewEntry(event=Event.SESSION_STARTED, by=BY)])

    assert [line["event"].split(":")[0] for line in lines.read] == ["authn_login_success", "session_created"]


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("kind", [AlertKind.LOG_CONTRADICTED, AlertKind.LOG_WAITING, AlertKind.LOG_UNVERIFIED, AlertKind.WALL_BREACHED])
def test_an_alert_about_what_nothing_else_tells_has_its_line(lines, kind):
    alert = raise_alert(kind=kind)

    (line,) = lines.named("sys_monitor_disabled")
    assert line["event"] == f"sys_monitor_disabled:job/watch,-,privacy.alert/{alert.pk}"
    assert (line["level"], line["outcome"]) == ("WARN", kind)


@pytest.mark.usefixtures("transactional_db")
def test_an_alert_about_what_has_a_line_has_none(lines):
    raise_alert(kind=AlertKind.UNATTRIBUTED_CHANGE)

    assert lines.heard == []


@pytest.mark.usefixtures("transactional_db")
def test_what_was_rolled_back_has_no_line(lines):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(Event.DATA_OPENED, by=BY)
        raise ZeroDivisionError

    assert lines.heard == []


@pytest.mark.usefixtures("transactional_db")
def test_a_refusal_has_its_line_though_everything_else_is_rolled_back(lines):
    stranger, user = factories.actor(Role.FINANCE), factories.make_customer()
    lines.heard.clear()

    with pytest.raises(AccessDenied), unit_of_work():
        record(Event.DATA_CORRECTED, by=stranger)
        with open_access(by=stranger, purpose=Purpose.DISPATCH, subject=user.subject, reason="a look") as grant:
            grant.open(user.details.name)

    (line,) = lines.read
    assert line["event"].startswith(f"authz_fail:finance/{stranger.id},{user.subject_id},")
    assert line["level"] == "CRITICAL"


@pytest.mark.usefixtures("transactional_db")
def test_a_process_that_does_not_write_the_log_says_nothing(lines):
    security_log.write_security_log(False)
    with transaction.atomic():
        record(Event.DATA_OPENED, by=BY)

    assert lines.heard == []


@pytest.mark.usefixtures("transactional_db")
def test_a_broken_line_never_breaks_what_it_is_about(lines, monkeypatch):
    monkeypatch.setattr(security_log, "_lines", lambda entry, at: 1 / 0)
    with transaction.atomic():
        entry = record(Event.DATA_OPENED, by=BY)

    assert Entry.objects.filter(pk=entry).exists()


@pytest.mark.usefixtures("transactional_db")
def test_signing_up_failing_and_signing_in_are_seen_with_the_pattern_of_the_page(lines):
    client = Client()
    mailbox, name = "marker.ßpäher@example.org", "Marker Späherin 王小明"
    form = {"email": mailbox, "name": name, "password": people.PASSWORD, "purposes": ["account"]}
    client.post("/sign-up/?from=marker-query", form, headers={"user-agent": "Marker-Agent/1.0"}, REMOTE_ADDR="203.0.113.77")
    user = people.make_customer()
    client.post("/sign-in/", {"email": people.EMAIL, "password": "marker wrong"}, REMOTE_ADDR="203.0.113.77")
    client.post("/sign-in/", {"email": people.EMAIL, "password": people.PASSWORD}, REMOTE_ADDR="203.0.113.77")
    client.post("/sign-out/")

    (failed,), (opened,) = lines.named("authn_login_fail"), lines.named("session_created")
    assert failed["event"] == f"authn_login_fail:customer/-,{user.subject_id},accounts.user/{user.pk}"
    assert opened["request_uri"] == failed["request_uri"] == "/sign-in/"
    assert (opened["request_method"], opened["request_id"] != failed["request_id"]) == ("POST", True)
    assert lines.named("user_created")
    assert lines.named("session_logout")
    everything = "\n".join(lines.heard)
    for value in (mailbox, name, "Marker", "marker", "203.0.113", people.PASSWORD, "王小明"):
        assert value not in everything
        assert json.dumps(value)[1:-1] not in everything


def test_the_address_of_a_mailed_link_is_its_pattern(lines):
    request = RequestFactory().generic("MARKER", "/confirm/marker-token/")
    token = security_log.current_request.set(request)
    try:
        entry = dict.fromkeys(("object_id", "subject_id", "actor_id", "request_id")) | {
            "id": uuid7(), "event": Event.SESSION_STARTED.value, "actor_role": "job", "actor_name": "test", "outcome": "ok", "purpose": "",
        }  # fmt: skip
        read = list(security_log._lines(entry, security_log.datetime.now(security_log.UTC)))
    finally:
        security_log.current_request.reset(token)

    assert {(line["request_uri"], line["request_method"]) for line in read} == {("(no page of ours)", "-")}


BEGINNINGS = {
    "web": "import marketplace.wsgi",
    "worker": "import django; django.setup(); from marketplace.celery import app, keep_logging; keep_logging()",
    "command": "import django; django.setup()",
}
RECORDS = """
from django.db import transaction
from audit.events import Event
from audit.record import record
from privacy.policy.roles import Actor
with transaction.atomic():
    record(Event.DATA_OPENED, by=Actor.job("test"))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("process", "turned_on", "number"), [("web", "1", 1), ("worker", "1", 1), ("web", "0", 0), ("command", "1", 0)])
def test_web_server_and_worker_write_to_standard_output_and_commands_do_not(process, turned_on, number):
    result = subprocess.run(
        [sys.executable, "-c", BEGINNINGS[process] + RECORDS],
        env=slot_environment(MARKETPLACE_DB_ROLE="worker", SECURITY_LOG=turned_on),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert [checked(line)["entry_event"] for line in result.stdout.splitlines()] == ["privacy.data.opened"] * number
