"""Announcing a version."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from privacy.declarations.purposes import Purpose
from privacy.policy.errors import NoticeTooShort
from privacy.policy.models import NOTICE_PERIOD, PolicyText, PolicyVersion
from privacy.policy.queries import policy_in_force, published_versions, purposes_in_force, text_of
from privacy.policy.roles import Actor

pytestmark = pytest.mark.django_db

LATER = NOTICE_PERIOD + timedelta(minutes=1)


@pytest.mark.promise("CHANGE-1")
def test_publish_policy_announces_a_version_for_later(publish):
    version = publish(2, effective_at=timezone.now() + LATER)

    assert published_versions()[0] == version
    assert policy_in_force().number == 1


@pytest.mark.promise("CHANGE-1")
def test_publish_policy_refuses_a_short_notice(publish):
    with pytest.raises(NoticeTooShort):
        publish(2, effective_at=timezone.now() + NOTICE_PERIOD - timedelta(minutes=1))

    assert not PolicyVersion.objects.filter(number=2).exists()


@pytest.mark.promise("CHANGE-1")
def test_database_refuses_a_version_without_notice(db):
    now = timezone.now()

    with pytest.raises(DatabaseError, match="policy_effective_after_notice"), transaction.atomic():
        PolicyVersion.objects.create(number=2, purposes=[], announced_at=now, effective_at=now)


@pytest.mark.promise("CHANGE-2")
def test_purposes_of_an_announced_version_do_not_hold_before_its_day(publish, time_machine):
    day = timezone.now() + LATER
    publish(2, effective_at=day, purposes=[Purpose.ACCOUNT])

    assert purposes_in_force() == frozenset(Purpose)

    time_machine.move_to(day + timedelta(seconds=1))
    assert purposes_in_force() == {Purpose.ACCOUNT}


@pytest.mark.promise("CHANGE-1")
def test_publish_policy_writes_one_event(publish):
    before = Entry.objects.filter(event=Event.POLICY_PUBLISHED).count()

    version = publish(2, effective_at=timezone.now() + LATER)

    entries = Entry.objects.filter(event=Event.POLICY_PUBLISHED, object_id=version.pk)
    assert [entry.actor_name for entry in entries] == ["test"]
    assert Entry.objects.filter(event=Event.POLICY_PUBLISHED).count() == before + 1


def test_publish_policy_changes_nothing_if_the_event_cannot_be_written(publish):
    with pytest.raises(NotRecordable):
        publish(2, effective_at=timezone.now() + LATER, by=Actor.job("no token"))

    assert not PolicyVersion.objects.filter(number=2).exists()
    assert not PolicyText.objects.filter(version__number=2).exists()


@pytest.mark.promise("CHANGE-5")
def test_fingerprint_is_that_of_the_published_words(publish, words):
    version = publish(2, effective_at=timezone.now() + LATER)

    text = text_of(version, "en")

    canonical = json.dumps({"title": text.title, "summary": text.summary, "sections": text.sections}, sort_keys=True, ensure_ascii=False)
    assert text.sha256 == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.promise("CHANGE-5")
@pytest.mark.parametrize("change", [lambda rows: rows.update(title="Other"), lambda rows: rows.delete()])
def test_a_published_text_cannot_be_changed_or_deleted(change):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        change(PolicyText.objects.filter(locale="en"))


@pytest.mark.promise("CHANGE-5")
def test_even_the_owner_cannot_change_a_published_text(owner_connection):
    connection = owner_connection()

    with pytest.raises(Exception, match="append-only"), connection, connection.cursor() as cursor:
        cursor.execute("UPDATE privacy_policytext SET title = 'Other'")


@pytest.mark.parametrize(("asked", "given"), [("de", "de"), ("de-at", "de"), ("ar", "ar"), ("fr", "en"), ("", "en")])
def test_text_of_falls_back_to_the_base_language_and_then_to_english(asked, given):
    assert text_of(policy_in_force(), asked).locale == given
