"""Writing the next version: one draft, changed by whoever saw its newest words."""

import threading

import pytest
from django.db import connections, transaction

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from privacy.access.gate import unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.actions import fingerprint
from privacy.policy.errors import ChangedMeanwhile, RoleMayNot
from privacy.policy.queries import policy_in_force
from privacy.policy.roles import Role
from privacy.publication import actions
from privacy.publication.actions import change_words, choose_purposes, discard_draft, start_draft
from privacy.publication.errors import DraftEnded, DraftOpen
from privacy.publication.models import PolicyDraft
from privacy.publication.queries import differs_from_version, is_complete, missing_words, words_to_edit
from tests.privacy.publication.conftest import staff

pytestmark = pytest.mark.django_db


def entries(event):
    return Entry.objects.filter(event=event).count()


def test_a_draft_begins_as_a_copy_of_the_version_in_force(draft):
    version = policy_in_force()

    assert (draft.based_on, draft.purposes) == (version, version.purposes)
    assert draft.texts["de"]["sections"] == version.texts.get(locale="de").sections
    assert not differs_from_version(draft, version)
    assert entries(Event.POLICY_DRAFT_STARTED) == 1


def test_there_is_one_open_draft(draft, officer):
    with pytest.raises(DraftOpen):
        start_draft(by=officer)


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.AUDITOR, Role.CUSTOMER])
def test_other_roles_start_no_draft(role):
    with pytest.raises(RoleMayNot):
        start_draft(by=staff(role))


def test_change_words_replaces_one_language_and_says_who(draft, officer):
    words = {**words_to_edit(draft, "en"), "title": "Changed"}

    changed = change_words(by=officer, draft=draft, locale="en", words=words, seen=fingerprint(draft.texts["en"]))

    assert (changed.texts["en"]["title"], changed.changed_by) == ("Changed", officer.id)
    assert changed.texts["de"] == draft.texts["de"]
    assert entries(Event.POLICY_DRAFT_CHANGED) == 1


def test_change_words_refuses_what_somebody_else_changed_meanwhile(draft, officer, write):
    seen = fingerprint(draft.texts["en"])
    write(draft, "en", title="Theirs")

    with pytest.raises(ChangedMeanwhile):
        change_words(by=officer, draft=draft, locale="en", words=words_to_edit(draft, "en"), seen=seen)

    draft.refresh_from_db()
    assert draft.texts["en"]["title"] == "Theirs"


def test_two_people_write_two_languages_without_disturbing_each_other(draft, officer, write):
    seen = fingerprint(draft.texts["de"])
    write(draft, "en", title="Theirs")

    changed = change_words(by=officer, draft=draft, locale="de", words={**draft.texts["de"], "title": "Meins"}, seen=seen)

    assert (changed.texts["en"]["title"], changed.texts["de"]["title"]) == ("Theirs", "Meins")


def test_of_two_writers_at_once_one_is_told(transactional_db, draft, administrator, officer):
    seen, barrier, refused = fingerprint(draft.texts["en"]), threading.Barrier(2), []

    def change(actor, title):
        words = {**draft.texts["en"], "title": title}
        try:
            with unit_of_work():
                barrier.wait(10)
                change_words(by=actor, draft=draft, locale="en", words=words, seen=seen)
        except ChangedMeanwhile:
            refused.append(title)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=change, args=pair) for pair in ((administrator, "one"), (officer, "two"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    draft.refresh_from_db()
    assert {draft.texts["en"]["title"], *refused} == {"one", "two"}
    assert len(refused) == 1


def test_choose_purposes_keeps_the_published_order(draft, officer):
    changed = choose_purposes(by=officer, draft=draft, purposes=[Purpose.LEGAL, Purpose.ORDER], seen=fingerprint(draft.purposes))

    assert changed.purposes == ["order", "legal"]
    with pytest.raises(ChangedMeanwhile):
        choose_purposes(by=officer, draft=draft, purposes=[Purpose.ORDER], seen=fingerprint(draft.purposes))


def test_a_language_that_nobody_wrote_is_missing_in_all_its_parts(draft):
    draft.texts.pop("ar")

    missing = missing_words(draft, "ar")

    assert missing[:2] == ["the title", "the summary"]
    assert len(missing) == 2 + len(draft.texts["en"]["sections"])
    assert not missing_words(draft, "en")
    assert not is_complete(draft)


def test_a_ready_draft_is_complete_and_differs(ready):
    assert is_complete(ready)
    assert differs_from_version(ready, policy_in_force())


def test_a_discarded_draft_makes_room_and_can_no_longer_be_changed(draft, officer):
    discard_draft(by=officer, draft=draft)

    with pytest.raises(DraftEnded):
        change_words(by=officer, draft=draft, locale="en", words={}, seen="")
    with pytest.raises(DraftEnded):
        discard_draft(by=officer, draft=draft)
    assert start_draft(by=officer).pk != draft.pk
    assert entries(Event.POLICY_DRAFT_DISCARDED) == 1


def test_no_draft_is_started_or_changed_without_its_event(draft, officer, monkeypatch):
    def refuse(*args, **kwargs):
        raise NotRecordable("no log")

    monkeypatch.setattr(actions, "record", refuse)

    with pytest.raises(NotRecordable), transaction.atomic():
        change_words(by=officer, draft=draft, locale="en", words={"title": "x"}, seen=fingerprint(draft.texts["en"]))
    with pytest.raises(NotRecordable), transaction.atomic():
        discard_draft(by=officer, draft=draft)

    fresh = PolicyDraft.objects.get(pk=draft.pk)
    assert (fresh.texts, fresh.is_open) == (draft.texts, True)
