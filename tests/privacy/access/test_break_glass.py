"""Opening without a case, in an emergency: who may, what it leads to, and when the person hears of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from privacy.access import break_glass, errors
from privacy.access.break_glass import give_due_notices, register_notice, release_notice
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.alerts.models import Alert, AlertKind
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from tests.privacy.vault.records import Letter, any_case, staff

EMERGENCY = "somebody is in the account right now"
JOB = Actor.job("tests")
OFFICER = staff(Role.PRIVACY_OFFICER)


@pytest.fixture
def told(monkeypatch):
    """Whom a room above was asked to tell."""
    heard = []
    monkeypatch.setattr(break_glass, "_notices", [])
    register_notice(heard.append)
    return heard


def break_it(letter, **more):
    how = {"by": staff(Role.SECURITY), "purpose": Purpose.SECURITY, "subject": letter.subject, "reason": EMERGENCY, "break_glass": True}
    with unit_of_work(), open_access(**{**how, **more}) as grant:
        return grant.open(letter.name)


def refused(letter, code, **more):
    with pytest.raises(errors.AccessDenied) as refusal:
        break_it(letter, **more)

    assert refusal.value.code == code
    assert Entry.objects.filter(event=Event.DATA_REFUSED, outcome=code).count() == 1
    assert not Opening.objects.exists()
    assert not Alert.objects.exists()


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("USE-3")
def test_it_opens_alerts_at_once_marks_the_look_and_tells_the_person(letter, told):
    by = staff(Role.SECURITY)

    assert break_it(letter, by=by) == "Ada Lovelace"

    opening = Opening.objects.get()
    assert (opening.is_break_glass, opening.subject_id, opening.case_id) == (True, letter.subject_id, None)
    alert = Alert.objects.get()
    assert (alert.kind, alert.actor_id, alert.subject_id, alert.role) == (AlertKind.BREAK_GLASS, by.id, letter.subject_id, "security")
    assert told == [opening]
    assert Entry.objects.get(event=Event.DATA_OPENED, actor_id=by.id).outcome == "break_glass"


@pytest.mark.promise("PROTECT-3")
def test_each_emergency_raises_an_alert_of_its_own(letter, told):
    by = staff(Role.SECURITY)

    break_it(letter, by=by)
    break_it(letter, by=by)

    assert Alert.objects.count() == 2


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(STAFF_ROLES - {Role.SECURITY, Role.FRAUD, Role.PRIVACY_OFFICER}))
def test_other_roles_may_not(letter, role):
    purpose = {Role.SUPPORT: Purpose.ORDER, Role.FULFILLMENT: Purpose.DISPATCH, Role.FINANCE: Purpose.PAYMENT}.get(role)
    code = "break_glass_denied" if purpose else "role_denied"

    refused(letter, code, by=staff(role), purpose=purpose or Purpose.SECURITY)


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("reason", ["nineteen characters", "nineteen characters      "])
def test_a_short_reason_is_refused(letter, reason):
    refused(letter, "reason_too_short", reason=reason)


@pytest.mark.promise("PROTECT-3")
def test_it_names_one_person(letter):
    refused(letter, "break_glass_denied", subject=None)


@pytest.mark.promise("PROTECT-3")
def test_it_writes_nothing(letter):
    refused(letter, "break_glass_denied", writes=Event.DATA_CORRECTED)


@pytest.mark.promise("USE-1")
def test_it_does_not_replace_the_ground(letter):
    refused(letter, "ground_missing", by=OFFICER, purpose=Purpose.RIGHTS)


@pytest.mark.promise("PROTECT-3")
def test_silence_is_for_investigations_alone(letter):
    refused(letter, "break_glass_denied", by=OFFICER, purpose=Purpose.RIGHTS, is_silent=True)


@pytest.mark.promise("USE-3")
def test_silence_ends_by_itself_after_thirty_days(letter, told):
    break_it(letter, is_silent=True)
    assert told == []
    assert give_due_notices() == 0

    Opening.objects.update(notice_due_at=timezone.now() - timedelta(seconds=1))

    assert give_due_notices() == 1
    assert give_due_notices() == 0
    assert told == [Opening.objects.get()]


@pytest.mark.promise("USE-3")
def test_release_notice_ends_silence_before_its_time(letter, told):
    break_it(letter, is_silent=True)
    opening = Opening.objects.get()

    release_notice(by=OFFICER, opening=opening)

    assert told == [opening]
    assert Entry.objects.filter(event=Event.NOTICE_RELEASED).count() == 1
    with pytest.raises(errors.NoticeGiven):
        release_notice(by=OFFICER, opening=opening)


@pytest.mark.promise("PROTECT-3")
def test_release_notice_is_the_privacy_officers(letter, told):
    break_it(letter, is_silent=True)

    with pytest.raises(errors.RoleDenied):
        release_notice(by=staff(Role.SECURITY), opening=Opening.objects.get())
    assert told == []


@pytest.mark.promise("USE-3")
def test_release_notice_changes_nothing_if_the_event_cannot_be_written(letter, told):
    break_it(letter, is_silent=True)

    with pytest.raises(NotRecordable), unit_of_work():
        release_notice(by=Actor(Role.PRIVACY_OFFICER, name="no token at all"), opening=Opening.objects.get())
    assert Opening.objects.get().noticed_at is None


def test_release_notice_refuses_a_look_for_a_case(letter, told):
    with unit_of_work(), open_access(
        by=staff(), purpose=Purpose.ORDER, subject=letter.subject, reason="order", case=any_case()
    ) as grant:  # fmt: skip
        grant.open(letter.name)

    with pytest.raises(errors.NoticeGiven):
        release_notice(by=OFFICER, opening=Opening.objects.get())
    assert give_due_notices() == 0


@pytest.mark.promise("USE-2")
def test_a_grant_that_only_reads_covers_no_writing(letter):
    with unit_of_work(), open_access(by=JOB, purpose=Purpose.ORDER, subject=letter.subject) as grant:
        assert not grant.covers(letter.subject_id, Letter._meta.get_field("name").category)


@pytest.mark.promise("USE-3")
def test_a_draft_is_not_opened_without_an_entry(letter):
    draft = Letter(subject=letter.subject, name="Never saved")

    with pytest.raises(errors.DraftOpened), unit_of_work(), open_access(by=JOB, purpose=Purpose.ORDER, subject=letter.subject) as grant:
        grant.open(draft.name)
