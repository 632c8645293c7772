"""Every action of the product leaves exactly its entries and no marked value, and nothing at all when an entry cannot be written."""

import inspect
import logging
import pkgutil
import sys
from contextlib import contextmanager
from importlib import import_module

import pytest
from django.core import mail
from django.db import DatabaseError, transaction

import audit
import marketplace
import orders
import privacy
from audit import security_log
from audit.actions import integrate_entries
from audit.events import Event
from audit.models import Entry
from audit.partitions import retire_months
from audit.record import record
from marketplace.accounts.views.recovery_codes import show_new_codes
from marketplace.errors import FrameFormatter
from privacy.access.gate import unit_of_work
from privacy.log_search.searches import MAY_BE_REFUSALS, REFUSALS, REFUSED
from privacy.mail.actions import deliver_mail
from privacy.mail.models import OutboundMail
from privacy.rights.proofs import take_proof, take_proofs
from privacy.rights.steps import carry_out_erasure
from privacy.rights.uses import DEEDS
from privacy.staff_exports.models import StaffExport
from privacy.vault import epochs, keys
from privacy.vault.models import Epoch, EpochSecret, KeyEncryptionKey, SubjectKey
from privacy.vault.rotation import finish_renewals
from tests.orders.conftest import outside, partners
from tests.rules import canaries, traces
from tests.rules.calls import CALLS, Keeps

__all__ = ["outside", "partners"]

MANY = 10_000
OWN_ROW = {Keeps.FILE_COMES_FIRST: StaffExport._meta.db_table}
"""Where the name of a new file stands."""
KEYS_CHANGE = (Keeps.KEYS_END_FIRST, Keeps.ROUNDS)
"""Even before the first entry."""
STEPS = (Keeps.ROUNDS, Keeps.BEGUN_FIRST, Keeps.SEALED_ANEW)
"""What the first entry was committed for stays when a later one breaks."""
MADE_WITH_A_KEY = [model._meta.db_table for model in (SubjectKey, Epoch, EpochSecret, KeyEncryptionKey)]
"""A key that was made for what was undone opens nothing; it stays in the keys' database."""
ROOMS = (audit, marketplace, orders, privacy)
NO_ACTIONS = {
    record: "writes the entry itself",
    show_new_codes: "a page; its action is issue_recovery_codes",
    retire_months: "whole months that are committed and integrated: tests/audit/test_partitions.py",
    take_proof: "entries that are integrated: tests/privacy/rights/test_uses_pages.py",
    take_proofs: "the same",
    finish_renewals: "renew_keys, for people whom a killed run left behind",
    carry_out_erasure: "its steps are; all of them in one: tests/privacy/rights/test_erasure.py",
    integrate_entries: "tells of tiles that are missing: tests/audit/test_tampering.py",
    unit_of_work: "what all of them run in; at its end it writes what was refused in it",
}
NOT_CALLED_FOR = {
    Event.STORY_TOLD: "the demo's own",
    Event.LOG_FAILED: "tests/audit/test_tampering.py breaks the log for that",
    Event.LOG_MONTH_RETIRED: "as retire_months",
    Event.PROOF_DOWNLOADED: "as take_proofs",
    Event.DATA_REFUSED: "tests/privacy/access/test_gate.py, once for each reason",
    Event.DISCLOSURE_REFUSED: "tests/privacy/sharing/test_disclose.py, once for each reason",
}


@pytest.fixture(scope="module", autouse=True)
def eyes(django_db_setup, django_db_blocker, test_databases):
    with django_db_blocker.unblock(), traces.installed(test_databases):
        yield


@pytest.fixture(autouse=True)
def places(outside, settings, tmp_path):
    """Files of their own, a carrier that answers, and exports by staff turned on."""
    settings.STAFF_EXPORTS = True
    for name in ("attachments", "exports"):
        storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / name, "base_url": None}}
        settings.STORAGES = {**settings.STORAGES, name: storage}


def by_call(test):
    return pytest.mark.django_db(pytest.mark.parametrize("call", CALLS, ids=str)(test))


# The list is complete


def public_functions():
    for room in ROOMS:
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if ".migrations" in found.name or ".management" in found.name or found.name.startswith("marketplace.demo"):
                continue
            module = import_module(found.name)
            for name, function in vars(module).items():
                if not name.startswith("_") and inspect.isfunction(function) and function.__module__ == found.name:
                    yield function


def is_action(function):
    """Somebody acts in it, or it writes an entry, by itself or through a private function of its module."""
    plain = inspect.unwrap(function)
    by = inspect.signature(plain).parameters.get("by")
    acts = by is not None and by.kind is inspect.Parameter.KEYWORD_ONLY
    return acts or not {"record", "record_many"}.isdisjoint(names_used_by(plain))


def names_used_by(function, seen=()):
    """The names in its code and in that of the private functions it names."""
    names = set(names_in(function.__code__))
    private = [
        inspect.unwrap(each) for each in map(function.__globals__.get, names) if inspect.isfunction(each) and each.__name__[0] == "_"
    ]
    for each in private:
        if each not in seen and each.__module__ == function.__module__:
            names |= names_used_by(each, (*seen, function))
    return names


def names_in(code):
    yield from code.co_names
    for inner in code.co_consts:
        if inspect.iscode(inner):
            yield from names_in(inner)


@pytest.mark.promise("USE-3")
def test_every_action_is_called():
    called = {inspect.unwrap(function) for call in CALLS for function in call.actions}
    known = {inspect.unwrap(function) for function in NO_ACTIONS}

    missing = [function for function in public_functions() if is_action(function) and inspect.unwrap(function) not in called | known]

    assert sorted(f"{function.__module__}.{function.__qualname__}" for function in missing) == [], (
        "give each of these a row in tests/rules/calls"
    )


@pytest.mark.promise("USE-3")
def test_every_event_is_written_by_a_call():
    written = {event for call in CALLS for event in call.writes}

    assert sorted(set(Event) - written - NOT_CALLED_FOR.keys()) == []
    assert sorted(written & NOT_CALLED_FOR.keys()) == []


# The three checks


@by_call
@pytest.mark.promise("USE-3")
def test_exactly_its_entries_are_written(call):
    act = call.prepare()
    before = set(Entry.objects.values_list("pk", flat=True))

    reached = codes_entered_by(act)

    written = Entry.objects.exclude(pk__in=before)
    assert sorted(entry.event for entry in written) == call.writes
    assert [entry.event for entry in written if not explains_itself(entry)] == []
    assert {entry.event for entry in written if entry.outcome == REFUSED} <= {*REFUSALS, *MAY_BE_REFUSALS}, "name it for the search"
    assert [function.__name__ for function in call.actions if inspect.unwrap(function).__code__ not in reached] == []


def explains_itself(entry):
    """What the customer's page shows says what for, and about which kinds of data; a search of the log opens none.

    Of a change around the program nobody has said either.
    """
    if entry.event not in DEEDS or entry.event == Event.DATA_CHANGED_UNATTRIBUTED:
        return True
    return bool(entry.purpose and (entry.categories or entry.event == Event.LOG_SEARCHED))


def codes_entered_by(act):
    """Run it in a unit of work; which functions it came through."""
    entered = set()

    def note(frame, kind, _argument):
        if kind == "call":
            entered.add(frame.f_code)

    with unit_of_work():
        sys.setprofile(note)
        try:
            act()
        finally:
            sys.setprofile(None)
    return entered


@by_call
@pytest.mark.promise("USE-3")
def test_an_entry_that_cannot_be_written_undoes_everything(call, django_capture_on_commit_callbacks):
    act = call.prepare()
    statements = number_of_statements(act)
    mail.outbox.clear()

    for passes in range(statements):
        rows, vault, files = traces.rows(), traces.rows("vault"), traces.files()
        is_first = passes == 0 or call.keeps not in STEPS
        with django_capture_on_commit_callbacks() as afterwards, undone(), traces.broken_log(passes):
            with pytest.raises(DatabaseError, match=traces.BROKEN):
                act()
            if is_first:
                assert differences(rows, traces.rows(), OWN_ROW.get(call.keeps, "")) == []
            if is_first and call.keeps not in KEYS_CHANGE:
                made = () if call.keeps in STEPS else MADE_WITH_A_KEY
                assert differences(vault, traces.rows("vault"), *made) == []
                assert ids_of_keys(vault) <= ids_of_keys(traces.rows("vault"))
        if is_first:
            assert afterwards == []
            assert mail.outbox == []
            assert call.keeps == Keeps.FILE_COMES_FIRST or sorted(traces.files().keys() - files.keys()) == []
        assert call.keeps == Keeps.FILE_GOES_FIRST or files.items() <= traces.files().items()


@contextmanager
def undone():
    """A unit of work of which nothing stays, in either database."""
    here = transaction.savepoint(using="vault")  # not an atomic block: keys are made in a durable one
    with unit_of_work() as unit:
        unit.failed = True
        yield
    transaction.savepoint_rollback(here, using="vault")
    keys.cache.clear()
    epochs.forget_secrets()


def number_of_statements(act):
    """How many statements of one act write entries; what it did is undone."""
    with undone(), traces.broken_log(MANY):
        act()
        return MANY - traces.passes_left()


def differences(before, after, *but):
    """Rows that went and rows that came, by their tables; those of ``but`` may differ."""
    changes = [("-", row) for row in before - after] + [("+", row) for row in after - before]
    return sorted(f"{sign}{place}: {row}" for sign, (place, row) in changes if place.partition(".")[2] not in but)


def ids_of_keys(rows):
    return {row.partition(",")[0] for place, row in rows if place.endswith(SubjectKey._meta.db_table)}


# No marked value anywhere


@by_call
@pytest.mark.promise("PROTECT-1")
@pytest.mark.promise("PROTECT-4")
def test_no_marked_value_is_left_in_clear(call, caplog, django_capture_on_commit_callbacks):
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(FrameFormatter("%(name)s %(message)s"))
    mail.outbox.clear()
    security_log.write_security_log()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            act = call.prepare()
            with unit_of_work():
                act()
        with django_capture_on_commit_callbacks(execute=True):
            deliver_everything()
    finally:
        security_log.write_security_log(False)

    assert leaks_in(everything_stored(caplog)) == []


def deliver_everything():
    for queued in OutboundMail.objects.filter(sent_at=None).order_by("pk"):
        deliver_mail(queued)


def everything_stored(caplog):
    for alias in ("default", "vault"):
        for (place, content), _number in traces.rows(alias).items():
            yield place, content
    yield from traces.files().items()
    yield from ((name, "") for name in traces.files())
    yield from traces.queue_and_cache()
    yield "the log lines", caplog.text
    for message in mail.outbox:
        yield "the subject of a mail", message.subject
        yield "the links in a mail", " ".join(word for word in message.body.split() if "://" in word)


def leaks_in(stored):
    return [f"{place} holds {found[0]!r}" for place, content in stored if (found := canaries.found_in(content))]
