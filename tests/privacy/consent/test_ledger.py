"""The ledger of permissions: exact words, append-only, one decision at a time."""

import hashlib
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from audit.events import Event
from privacy.access.gate import unit_of_work
from privacy.consent.actions import give_consent, withdraw_consent
from privacy.consent.errors import NotConsentable, NotYourConsent
from privacy.consent.forms import consent_fields, purposes_ticked
from privacy.consent.models import ConsentEntry, ConsentStatement
from privacy.consent.queries import has_consent, history_of, missing_purposes, permissions_of
from privacy.consent.statements import statement_text
from privacy.declarations.purposes import PURPOSES, Ground, Purpose
from privacy.policy.models import PolicyVersion
from privacy.policy.roles import Actor
from privacy.vault.models import Subject
from tests.privacy.vault.fixtures import entries
from tests.privacy.vault.records import CONSENT_PURPOSES, person, staff

TABLES = ["privacy_consententry", "privacy_consentstatement", "privacy_policyversion", "privacy_policytext"]


@pytest.fixture
def newcomer(policy):
    """Somebody who has not been asked anything."""
    return Subject.objects.create()


def give(subject, purpose=Purpose.ORDER, locale="en", by=None):
    return give_consent(by=by or person(subject), subject=subject, purpose=purpose, locale=locale)


def withdraw(subject, purpose=Purpose.ORDER, by=None):
    return withdraw_consent(by=by or person(subject), subject=subject, purpose=purpose, locale="en")


@pytest.mark.promise("COLLECT-3")
def test_giving_keeps_who_what_when_and_the_exact_words(newcomer, policy):
    before = timezone.now()

    entry = give(newcomer)

    text = statement_text(Purpose.ORDER, "en")
    assert (entry.subject_id, entry.purpose, entry.decision) == (newcomer.pk, "order", "given")
    assert (entry.statement.text, entry.statement.locale, entry.statement.policy_id) == (text, "en", policy.pk)
    assert entry.statement.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert before <= entry.at <= timezone.now()
    assert str(PURPOSES[Purpose.ORDER].explanation) in text


def test_giving_writes_one_event(newcomer):
    entry = give(newcomer)

    (event,) = entries(Event.PERMISSION_GIVEN, newcomer)
    assert (event.object_id, event.purpose, event.actor_id) == (entry.pk, "order", newcomer.pk)


@pytest.mark.promise("RIGHTS-4")
def test_withdrawing_ends_it_and_writes_one_event(newcomer):
    give(newcomer)

    withdraw(newcomer)

    assert not has_consent(newcomer.pk, Purpose.ORDER)
    assert len(entries(Event.PERMISSION_WITHDRAWN, newcomer)) == 1
    assert [entry.decision for entry in history_of(newcomer.pk)] == ["withdrawn", "given"]


def test_giving_what_stands_and_withdrawing_what_was_never_given_change_nothing(newcomer):
    assert withdraw(newcomer) is None
    give(newcomer)
    assert give(newcomer) is None

    assert ConsentEntry.objects.filter(subject=newcomer).count() == 1
    assert len(entries(Event.PERMISSION_GIVEN, newcomer)) == 1


def test_the_last_decision_counts(newcomer):
    for decide in (give, withdraw, give, withdraw, give):
        decide(newcomer)

    assert has_consent(newcomer.pk, Purpose.ORDER)
    assert not has_consent(newcomer.pk, Purpose.PAYMENT)


def test_the_same_words_are_kept_once_and_each_language_for_itself(newcomer):
    other = Subject.objects.create()
    ConsentStatement.objects.all()
    first, second, german = give(newcomer), give(other), give(newcomer, Purpose.PAYMENT, locale="de")

    assert first.statement_id == second.statement_id
    assert german.statement.locale == "de"


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("decide", [give, withdraw])
@pytest.mark.parametrize("somebody", [staff(), Actor.job("import")], ids=["staff", "job"])
def test_nobody_answers_for_somebody_else(newcomer, decide, somebody):
    with pytest.raises(NotYourConsent):
        decide(newcomer, by=somebody)

    assert not ConsentEntry.objects.filter(subject=newcomer).exists()


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose not in CONSENT_PURPOSES])
def test_what_rests_on_another_ground_cannot_be_agreed_to(newcomer, purpose):
    with pytest.raises(NotConsentable):
        give(newcomer, purpose)


@pytest.fixture
def narrower_policy(newcomer):
    """A version in force that no longer knows IMPROVEMENT, to which the newcomer had agreed."""
    give(newcomer, Purpose.IMPROVEMENT)
    number = PolicyVersion.objects.order_by("-number").first().number + 1
    now = timezone.now()
    purposes = [purpose.value for purpose in Purpose if purpose != Purpose.IMPROVEMENT]
    return PolicyVersion.objects.create(number=number, purposes=purposes, announced_at=now - timezone.timedelta(days=31), effective_at=now)


@pytest.mark.promise("CHANGE-2")
def test_a_purpose_outside_the_policy_in_force_cannot_be_agreed_to(narrower_policy):
    with pytest.raises(NotConsentable):
        give(Subject.objects.create(), Purpose.IMPROVEMENT)


@pytest.mark.promise("RIGHTS-4")
def test_a_permission_can_be_withdrawn_though_the_policy_dropped_its_purpose(newcomer, narrower_policy):
    withdraw(newcomer, Purpose.IMPROVEMENT)

    assert not has_consent(newcomer.pk, Purpose.IMPROVEMENT)


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_ledger_is_append_only_for_the_running_processes(newcomer, table, statement):
    give(newcomer)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_ledger_is_append_only_even_for_a_superuser(policy, owner_connection, table, statement):
    with owner_connection("default") as owner, owner.cursor() as cursor, pytest.raises(Exception, match="append-only"):
        cursor.execute(statement.format(table))


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("COLLECT-3")
def test_when_the_event_cannot_be_written_no_decision_is_kept(policy, owner_connection):
    subject = Subject.objects.create()
    with owner_connection("default") as owner, owner.cursor() as cursor:
        cursor.execute("REVOKE INSERT ON audit_entry FROM market_worker")
        cursor.execute("REVOKE ALL ON audit_entry FROM market_worker")

    with pytest.raises(DatabaseError), unit_of_work():
        give(subject)

    assert not ConsentEntry.objects.filter(subject=subject).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("COLLECT-3")
def test_two_decisions_at_once_are_taken_one_after_the_other(policy):
    subject = Subject.objects.create()
    barrier = threading.Barrier(8)

    def decide():
        barrier.wait()
        give(subject)
        connections.close_all()

    threads = [threading.Thread(target=decide) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [entry.decision for entry in history_of(subject.pk)] == ["given"]
    assert len(entries(Event.PERMISSION_GIVEN, subject)) == 1


def test_permissions_list_every_consent_purpose_in_published_order(newcomer, django_assert_num_queries):
    give(newcomer, Purpose.DISPATCH)
    give(newcomer, Purpose.ORDER)
    withdraw(newcomer, Purpose.ORDER)

    with django_assert_num_queries(1):
        permissions = permissions_of(newcomer.pk)

    assert [permission.purpose for permission in permissions] == CONSENT_PURPOSES
    assert [permission.purpose for permission in permissions if permission.is_given] == [Purpose.DISPATCH]


def test_missing_purposes_are_those_not_given_or_withdrawn(newcomer):
    give(newcomer, Purpose.DISPATCH)
    give(newcomer, Purpose.ORDER)
    withdraw(newcomer, Purpose.ORDER)

    assert missing_purposes(newcomer.pk, [Purpose.ORDER, Purpose.DISPATCH, Purpose.PAYMENT]) == [Purpose.ORDER, Purpose.PAYMENT]


@pytest.mark.promise("RIGHTS-4")
def test_the_later_decision_wins_though_its_machine_runs_behind(newcomer, time_machine):
    later = timezone.now() + timedelta(hours=1)
    time_machine.move_to(later)
    give(newcomer)
    time_machine.move_to(later - timedelta(minutes=5))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audit.identifiers._last_tick", 0)  # another process, which has made no id yet
        withdraw(newcomer)

    assert not has_consent(newcomer.pk, Purpose.ORDER)


@pytest.mark.promise("COLLECT-3")
def test_no_box_is_ticked_beforehand_and_only_essential_ones_are_needed():
    fields = consent_fields(CONSENT_PURPOSES, "en")

    assert set(fields) == {f"consent_{purpose.value}" for purpose in CONSENT_PURPOSES}
    assert not any(field.initial for field in fields.values())
    assert {name for name, field in fields.items() if not field.required} == {"consent_improvement"}


@pytest.mark.promise("COLLECT-3")
def test_a_box_counts_only_for_the_words_that_it_was_shown_with():
    english, german = (consent_fields([Purpose.ORDER], locale)["consent_order"] for locale in ("en", "de"))

    assert english.clean(english.fingerprint) is True
    for other in (german.fingerprint, "on", "true"):
        with pytest.raises(ValidationError):
            english.clean(other)


def test_only_ticked_boxes_count():
    assert purposes_ticked({"consent_order": True, "consent_payment": False, "name": "x"}) == [Purpose.ORDER]


def test_every_purpose_is_essential_or_optional_only_where_it_rests_on_consent():
    for rule in PURPOSES.values():
        assert rule.ground == Ground.CONSENT or not rule.essential
