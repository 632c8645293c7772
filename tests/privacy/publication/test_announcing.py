"""Announcing a version, telling everybody, withdrawing it, and its taking effect by itself."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from privacy.access.errors import GroundMissing, PurposeNotInForce
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import give_consent
from privacy.consent.errors import NotConsentable
from privacy.consent.queries import has_consent, permissions_of
from privacy.declarations.purposes import Purpose
from privacy.jobs.actions import perform_job
from privacy.mail.models import OutboundMail
from privacy.policy import actions as policy_actions
from privacy.policy.actions import fingerprint
from privacy.policy.errors import AlreadyInForce, ChangedMeanwhile, NoticeTooShort, RoleMayNot
from privacy.policy.models import NOTICE_PERIOD, PolicyVersion, PolicyWithdrawal
from privacy.policy.queries import Standing, history, policy_in_force, published_versions, purposes_in_force, version_to_come
from privacy.policy.roles import Actor, Role
from privacy.publication import mails
from privacy.publication.actions import announce_draft, choose_purposes, start_draft, whole_fingerprint, withdraw_announcement
from privacy.publication.errors import AnnouncementPending, DraftEnded, DraftIncomplete, NothingChanged
from privacy.publication.mails import tell_everybody
from privacy.publication.models import PolicyNotice
from privacy.publication.queries import number_concerned
from tests.accounts.people import make_customer
from tests.privacy.publication.conftest import staff

pytestmark = pytest.mark.django_db

OPTIONAL = Purpose.IMPROVEMENT


def in_time():
    return timezone.now() + NOTICE_PERIOD + timedelta(days=1)


@pytest.fixture
def announce(officer):
    def do(draft, **how):
        draft.refresh_from_db()
        return announce_draft(**{"by": officer, "draft": draft, "effective_at": in_time(), "seen": whole_fingerprint(draft), **how})

    return do


@pytest.mark.promise("CHANGE-1")
def test_announce_draft_publishes_the_next_version_for_later(ready, announce):
    version = announce(ready)

    ready.refresh_from_db()
    assert (version.number, ready.announced_as) == (2, version)
    assert {text.locale: text.title for text in version.texts.all()} == {"en": "A new version", "de": "Neue Fassung", "ar": "نسخة جديدة"}
    assert policy_in_force().number == 1
    assert version_to_come() == version
    assert Entry.objects.filter(event=Event.POLICY_PUBLISHED, object_id=version.pk).count() == 1


@pytest.mark.promise("CHANGE-1")
def test_the_version_takes_effect_by_itself_at_its_time(ready, announce, time_machine):
    version = announce(ready)

    time_machine.move_to(version.effective_at - timedelta(seconds=1))
    before = policy_in_force().number
    time_machine.move_to(version.effective_at)

    assert (before, policy_in_force().number, version_to_come()) == (1, 2, None)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SUPPORT, Role.AUDITOR])
def test_the_privacy_officer_alone_announces(ready, announce, role):
    with pytest.raises(RoleMayNot):
        announce(ready, by=staff(role))

    assert len(published_versions()) == 1


def test_announce_draft_refuses_what_was_changed_after_the_preview(ready, announce, write):
    seen = whole_fingerprint(ready)
    write(ready, "en", title="Changed after the preview")

    with pytest.raises(ChangedMeanwhile):
        announce(ready, seen=seen)


def test_announce_draft_refuses_missing_words(draft, announce, write):
    write(draft, "en", title="Another title")
    write(draft, "ar", title="")

    with pytest.raises(DraftIncomplete):
        announce(draft)


def test_announce_draft_refuses_what_changes_nothing(ready, announce, write, officer, time_machine):
    version = announce(ready)
    time_machine.move_to(version.effective_at)
    with unit_of_work():
        copy = start_draft(by=officer)

    with pytest.raises(NothingChanged):
        announce(copy)


@pytest.mark.promise("CHANGE-1")
def test_announce_draft_refuses_less_than_the_notice_period(ready, announce):
    with pytest.raises(NoticeTooShort), transaction.atomic():
        announce(ready, effective_at=timezone.now() + NOTICE_PERIOD - timedelta(hours=1))

    assert len(published_versions()) == 1


def test_one_announcement_at_a_time(ready, announce, officer, write):
    announce(ready)
    with unit_of_work():
        second = start_draft(by=officer)
    write(second, "ar", title="س", summary=["س"], sections=second.texts["en"]["sections"])

    with pytest.raises(AnnouncementPending):
        announce(second)
    with pytest.raises(DraftEnded):
        announce(ready)


def test_nothing_is_announced_without_its_event(ready, announce, monkeypatch):
    def refuse(*args, **kwargs):
        raise NotRecordable("no log")

    monkeypatch.setattr(policy_actions, "record", refuse)

    with pytest.raises(NotRecordable), transaction.atomic():
        announce(ready)

    assert (len(published_versions()), PolicyNotice.objects.count()) == (1, 0)


# Withdrawing


@pytest.mark.promise("CHANGE-1")
@pytest.mark.promise("CHANGE-2")
def test_a_withdrawn_version_never_takes_effect_and_stays_to_be_read(ready, announce, officer, time_machine):
    version = announce(ready)

    withdraw_announcement(by=officer, version=version)

    time_machine.move_to(version.effective_at + timedelta(days=1))
    assert policy_in_force().number == 1
    assert [chapter.standing for chapter in history()] == [Standing.WITHDRAWN, Standing.IN_FORCE]
    assert Entry.objects.filter(event=Event.POLICY_WITHDRAWN, object_id=version.pk).count() == 1


def test_withdraw_announcement_refuses_what_is_too_late_or_done(ready, announce, officer, time_machine):
    version = announce(ready)
    with pytest.raises(AlreadyInForce):
        withdraw_announcement(by=officer, version=PolicyVersion.objects.get(number=1))
    withdraw_announcement(by=officer, version=version)

    with pytest.raises(AlreadyInForce):
        withdraw_announcement(by=officer, version=version)

    with pytest.raises(RoleMayNot):
        withdraw_announcement(by=staff(Role.ADMINISTRATOR), version=version)


def test_nothing_is_withdrawn_without_its_event(ready, announce, officer, monkeypatch):
    version = announce(ready)

    def refuse(*args, **kwargs):
        raise NotRecordable("no log")

    monkeypatch.setattr(policy_actions, "record", refuse)

    with pytest.raises(NotRecordable), transaction.atomic():
        withdraw_announcement(by=officer, version=version)

    assert not PolicyWithdrawal.objects.exists()


def test_the_number_of_a_withdrawn_version_is_not_given_again(ready, announce, officer, write):
    withdraw_announcement(by=officer, version=announce(ready))
    with unit_of_work():
        again = start_draft(by=officer)
    write(again, "ar", title="س", summary=["س"], sections=again.texts["en"]["sections"])

    assert announce(again).number == 3


# Purposes


@pytest.mark.promise("CHANGE-2")
def test_a_purpose_that_a_version_adds_is_closed_until_its_day_and_needs_a_new_permission(officer, publish_purposes, time_machine):
    """Version 2 drops a use, version 3 brings it back: the old yes does not cover it."""
    user = make_customer()
    with unit_of_work():
        give_consent(by=user.actor, subject=user.subject, purpose=OPTIONAL)
    assert has_consent(user.subject_id, OPTIONAL)
    without = publish_purposes(2, [purpose for purpose in Purpose if purpose != OPTIONAL])
    time_machine.move_to(without.effective_at)
    again = publish_purposes(3, list(Purpose))

    assert OPTIONAL not in purposes_in_force()
    with unit_of_work(), pytest.raises(NotConsentable):
        give_consent(by=user.actor, subject=user.subject, purpose=OPTIONAL)
    with pytest.raises(PurposeNotInForce), unit_of_work(), open_access(by=user.actor, purpose=OPTIONAL, subject=user.subject):
        pass

    time_machine.move_to(again.effective_at)

    assert OPTIONAL in purposes_in_force()
    assert not has_consent(user.subject_id, OPTIONAL)
    assert not {permission.purpose: permission.is_given for permission in permissions_of(user.subject_id)}[OPTIONAL]
    with pytest.raises(GroundMissing), unit_of_work(), open_access(by=user.actor, purpose=OPTIONAL, subject=user.subject):
        pass
    with unit_of_work():
        assert give_consent(by=user.actor, subject=user.subject, purpose=OPTIONAL) is not None
    assert has_consent(user.subject_id, OPTIONAL)


@pytest.mark.promise("CHANGE-2")
def test_permissions_for_purposes_that_stayed_go_on_under_the_next_version(publish_purposes, time_machine):
    user = make_customer()
    before = has_consent(user.subject_id, Purpose.ACCOUNT)
    version = publish_purposes(2, [purpose for purpose in Purpose if purpose != OPTIONAL])

    time_machine.move_to(version.effective_at)

    assert before
    assert has_consent(user.subject_id, Purpose.ACCOUNT)


@pytest.fixture
def publish_purposes(db):
    """``publish_purposes(2, [...])`` announces a version with other uses and the same words."""

    def publish(number, purposes):
        words = {"title": "t", "summary": ["s"], "sections": []}
        return policy_actions.publish_policy(
            by=Actor.job("test"), number=number, texts={"en": words}, purposes=purposes, effective_at=in_time()
        )

    return publish


# Mails


@pytest.fixture
def three_customers(db):
    people = [make_customer(f"customer{number}@example.org") for number in range(3)]
    OutboundMail.objects.all().delete()
    return people


def announced_mails(template="policy-announced"):
    return OutboundMail.objects.filter(template=template)


def run(notice):
    perform_job("privacy.policynotice", notice.pk)
    notice.refresh_from_db()


@pytest.mark.promise("CHANGE-1")
def test_everybody_with_a_live_account_gets_one_mail_in_their_language(three_customers, ready, announce):
    first, second, closed = three_customers
    type(first).objects.filter(pk=second.pk).update(locale="de")
    type(first).objects.filter(pk=closed.pk).update(is_active=False)
    assert number_concerned() == 2
    notice = PolicyNotice.objects.get(version=announce(ready))

    run(notice)

    assert (notice.state, notice.told) == (PolicyNotice.State.DONE, 2)
    assert dict(announced_mails().values_list("subject_id", "locale")) == {first.subject_id: "en", second.subject_id: "de"}


def test_the_round_goes_on_where_a_killed_worker_stopped_and_tells_nobody_twice(three_customers, ready, announce, monkeypatch):
    monkeypatch.setattr(mails, "BATCH", 1)
    notice = PolicyNotice.objects.get(version=announce(ready))
    queued = mails.queue_mail

    def die_at_the_second(**how):
        if announced_mails().count() == 1:
            raise KeyboardInterrupt
        return queued(**how)

    monkeypatch.setattr(mails, "queue_mail", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        tell_everybody(notice)
    monkeypatch.setattr(mails, "queue_mail", queued)
    notice.refresh_from_db()
    after_the_first = notice.told

    tell_everybody(notice)
    PolicyNotice.objects.filter(pk=notice.pk).update(reached=None)
    notice.refresh_from_db()
    tell_everybody(notice)

    assert after_the_first == 1
    assert announced_mails().count() == 3


def test_the_mail_links_to_the_changes_and_says_nothing_about_its_reader(three_customers, ready, announce, settings):
    run(PolicyNotice.objects.get(version=announce(ready)))

    for row in announced_mails():
        perform_job("privacy.outboundmail", row.pk)

    assert len(mail.outbox) == 3
    for message in mail.outbox:
        assert message.subject == "Our privacy policy changes"
        for path in ("/privacy/announcements/2/", "/privacy/policy/1/to/2/", "/account/permissions/", "/account/erase/"):
            assert settings.SITE_URL + path in message.body
        assert "example.org" not in message.body


def test_a_mail_about_a_version_withdrawn_meanwhile_is_not_sent(three_customers, ready, announce, officer):
    version = announce(ready)
    run(PolicyNotice.objects.get(version=version))
    withdraw_announcement(by=officer, version=version)

    for row in announced_mails():
        perform_job("privacy.outboundmail", row.pk)

    assert not mail.outbox


def test_everybody_who_was_told_hears_of_the_withdrawal(three_customers, ready, announce, officer):
    version = announce(ready)
    run(PolicyNotice.objects.get(version=version))
    withdraw_announcement(by=officer, version=version)

    run(PolicyNotice.objects.get(version=version, kind=PolicyNotice.Kind.WITHDRAWN))
    for row in announced_mails("policy-withdrawn"):
        perform_job("privacy.outboundmail", row.pk)

    assert [message.subject for message in mail.outbox] == ["Our privacy policy stays as it is"] * 3


def test_a_draft_without_any_use_cannot_be_announced(ready, announce, officer):
    with unit_of_work():
        choose_purposes(by=officer, draft=ready, purposes=[], seen=fingerprint(ready.purposes))

    with pytest.raises(DraftIncomplete):
        announce(ready)
