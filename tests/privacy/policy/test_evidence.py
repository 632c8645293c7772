"""The registry of promises and what its rooms answer."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from audit.models import Entry
from privacy.declarations.purposes import Purpose
from privacy.policy import evidence as policy_evidence
from privacy.policy import promises
from privacy.policy.errors import UnknownPromise
from privacy.policy.promises import PROMISES, Evidence, evidence_of, has_evidence, register_evidence
from privacy.retention import evidence as retention_evidence
from privacy.retention.models import PurgeRun
from privacy.rights import evidence as rights_evidence
from privacy.rights.models import Request
from privacy.sharing import evidence as sharing_evidence
from privacy.sharing.models import Disclosure, FollowUp, Recipient
from privacy.vault.models import Subject

LONG_AGO = timedelta(days=40)


@pytest.fixture
def no_sources(monkeypatch):
    monkeypatch.setattr(promises, "_sources", {})


def everything_in_order():
    return Evidence(True, "All is well.")


@pytest.mark.django_db
def test_evidence_of_asks_every_room_once(no_sources):
    register_evidence("USE-3", everything_in_order)
    register_evidence("USE-3", everything_in_order)
    register_evidence("USE-3", lambda: Evidence(None, "Nothing yet."))

    assert [evidence.text for evidence in evidence_of("USE-3")] == ["All is well.", "Nothing yet."]


@pytest.mark.django_db
def test_a_room_that_cannot_answer_counts_against_the_promise(no_sources):
    def broken():
        raise OperationalError("the server does not answer")

    register_evidence("USE-3", broken)
    register_evidence("USE-3", everything_in_order)

    assert [evidence.ok for evidence in evidence_of("USE-3")] == [False, True]
    assert "OperationalError" in evidence_of("USE-3")[0].text
    assert "does not answer" not in evidence_of("USE-3")[0].text


def test_register_evidence_refuses_an_unknown_promise(no_sources):
    with pytest.raises(UnknownPromise):
        register_evidence("COLLECT-99", everything_in_order)


def test_a_promise_without_a_room_has_no_evidence(no_sources):
    assert evidence_of("USE-3") == []
    assert not has_evidence("USE-3")


@pytest.mark.django_db
@pytest.mark.parametrize("promise_id", [promise_id for promise_id in PROMISES if has_evidence(promise_id)])
def test_fresh_site_gives_no_evidence_against_a_promise(promise_id, time_machine):
    time_machine.move_to(Entry.objects.latest("at").at + timedelta(minutes=1))  # the databases may have been set up long ago

    answers = evidence_of(promise_id)

    assert answers
    assert all(answer.ok is not False for answer in answers), answers


@pytest.mark.promise("PROTECT-2")
@pytest.mark.django_db
def test_runtime_role_owns_nothing():
    assert policy_evidence.rights_of_this_process().ok is True


@pytest.mark.promise("PROTECT-2")
def test_keys_apart_is_false_when_they_share_a_database(settings, monkeypatch):
    from django.db import connections

    monkeypatch.setitem(connections["vault"].settings_dict, "NAME", connections["default"].settings_dict["NAME"])

    assert not policy_evidence._is_apart()


@pytest.mark.promise("COLLECT-1")
def test_declared_fields_counts_an_undeclared_one(monkeypatch):
    from privacy.policy.models import PolicyVersion

    monkeypatch.delitem(PolicyVersion.not_personal, "announced_at")

    evidence = policy_evidence.declared_fields()

    assert evidence.ok is False
    assert "1 undeclared" in evidence.text


@pytest.mark.django_db
def test_rooms_answer_with_few_questions(django_assert_max_num_queries):
    with django_assert_max_num_queries(135):
        for promise_id in PROMISES:
            evidence_of(promise_id)


@pytest.fixture
def recipient(db):
    return Recipient.objects.create(slug="somebody", name="Somebody", kind=Recipient.Kind.PROCESSOR, country="DE")


@pytest.mark.django_db
def test_an_overdue_request_is_evidence_against():
    Request.objects.create(subject=Subject.objects.create(), kind=Request.Kind.EXPORT, locale="en", due_at=timezone.now() - LONG_AGO)

    evidence = rights_evidence.requests_in_time()

    assert (evidence.ok, evidence.text) == (False, "1 requests are open, 1 of them overdue.")


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "ok"), [(timedelta(hours=2), True), (LONG_AGO, False)])
def test_a_purge_long_ago_is_evidence_against(age, ok):
    at = timezone.now() - age
    PurgeRun.objects.create(state=PurgeRun.State.DONE, result=PurgeRun.Result.CLEAN, finished_at=at, counts={"orders.orderaddress": 3})

    evidence = evidence_of("CHANGE-3")[0]

    assert (evidence.ok, evidence.at) == (ok, at)
    assert evidence.text.startswith("The last purge removed 3 rows.")
    assert ("older than it may be" in evidence.text) is not ok


@pytest.mark.django_db
def test_books_that_changed_are_evidence_against():
    PurgeRun.objects.create(state=PurgeRun.State.FAILED, result=PurgeRun.Result.BROKEN, finished_at=timezone.now())

    assert retention_evidence.books_after_the_last_purge().ok is False
    assert retention_evidence.last_purge().ok is False


def test_a_disclosure_without_an_agreement_is_evidence_against(recipient):
    Disclosure.objects.create(subject=Subject.objects.create(), recipient=recipient, purpose=Purpose.SUPPORT, categories=[], fields=[])

    assert sharing_evidence.disclosures_under_agreements().ok is False


@pytest.mark.parametrize(("age", "ok"), [(timedelta(days=1), True), (LONG_AGO, False)])
def test_a_recipient_that_does_not_answer_is_evidence_against(recipient, age, ok):
    FollowUp.objects.create(
        subject=Subject.objects.create(), recipient=recipient, kind=FollowUp.Kind.ERASURE, asked_at=timezone.now() - age
    )

    assert sharing_evidence.unanswered_follow_ups().ok is ok


@pytest.mark.django_db
def test_promises_command_gives_control_tests_and_evidence_as_json():
    output = io.StringIO()

    call_command("promises", "--json", stdout=output)

    rows = {row["id"]: row for row in json.loads(output.getvalue())}
    assert list(rows) == list(PROMISES)
    assert rows["CHANGE-5"]["control"]
    assert "tests/privacy/policy/test_pages.py::test_policy_is_readable_signed_out" in rows["CHANGE-5"]["tests"]
    assert rows["CHANGE-5"]["evidence"][0]["ok"] is True


def test_promises_command_leaves_the_database_alone_when_offline():
    output = io.StringIO()

    call_command("promises", "--json", "--offline", stdout=output)

    assert all(row["evidence"] == [] for row in json.loads(output.getvalue()))


def test_promises_command_lists_what_no_test_is_marked_with():
    output = io.StringIO()

    call_command("promises", "--missing", stdout=output)

    assert "promises have no test yet" in output.getvalue()
    assert "CHANGE-5" not in output.getvalue()
