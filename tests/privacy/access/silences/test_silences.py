"""Entries are withheld by two people alone, of looks alone, until a day; every road obeys, and the page counts them."""

import re
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.formats import date_format

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from audit.record import record
from orders.lifecycle.models import OrderContact
from privacy.access.approvals.actions import approve_proposal, propose
from privacy.access.approvals.errors import PlanImpossible, RoleMayNot
from privacy.access.approvals.kinds import fingerprint_of, kind_named
from privacy.access.approvals.models import Proposal
from privacy.access.break_glass import give_due_notices, release_notice
from privacy.access.errors import NoticeWithheld
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.silences import actions
from privacy.access.silences.actions import LONGEST, release_silence
from privacy.access.silences.errors import RoleMayNot as MayNotRelease
from privacy.access.silences.errors import SilenceOver
from privacy.access.silences.models import Silence
from privacy.access.silences.queries import withheld_from
from privacy.access.silences.registrations import SILENCE
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from privacy.retention.walker import items
from privacy.rights.sections import sections
from privacy.rights.uses import uses_of
from privacy.vault.identifiers import uuid7
from tests.accounts.people import entries, make_staff, staff_client
from tests.orders.factories import client_of, make_customer, packed
from tests.privacy.access.test_approvals import approve, done
from tests.processes import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-3")]


def look(user, by, reason="asked where the parcel is", **how):
    """The entry of a look at this person's order."""
    contact = OrderContact.objects.filter(subject=user.subject).latest("pk")
    case = {} if how else {"case": contact.order}
    with unit_of_work(), open_access(by=by.actor, purpose=Purpose.ORDER, subject=user.subject, reason=reason, **case, **how) as grant:
        grant.open(contact.name)
    return Entry.objects.filter(event=Event.DATA_OPENED, subject_id=user.subject_id, actor_id=by.subject_id).latest("at")


def silent_look(user, by):
    """In an emergency, of which the person is told later."""
    contact = OrderContact.objects.filter(subject=user.subject).latest("pk")
    how = {"purpose": Purpose.FRAUD, "reason": "suspected of stolen cards, urgent", "break_glass": True, "is_silent": True}
    with unit_of_work(), open_access(by=by.actor, subject=user.subject, **how) as grant:
        grant.open(contact.name)
    return Opening.objects.get(subject=user.subject, is_break_glass=True)


def asked(found, days=30, **changes):
    until = f"{timezone.now() + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    return {"entries": sorted(str(entry.pk) for entry in found), "ground": "fraud", "until": until} | changes


def ask(by, found, **changes):
    with unit_of_work():
        return propose(by=by.actor, kind=SILENCE, parameters=asked(found, **changes), why="a series of stolen cards", id=uuid7())


def withhold(by, second, found, **changes):
    done(second.actor, ask(by, found, **changes))
    return Silence.objects.latest("pk")


def withheld_twice(user, by, second):
    """A look in an emergency, and what withholds it for 90 days and for 60."""
    opening = silent_look(user, make_staff(Role.FRAUD, "fraud@example.org", enrolled=False))
    found = list(Entry.objects.filter(pk__in=opening.entries))
    return opening, withhold(by, second, found, days=90), withhold(by, second, found, days=60)


def text_of(client, address="/account/uses/"):
    return re.sub(r"\s+", " ", client.get(address).content.decode())


def test_a_withheld_entry_is_on_no_road_of_the_person(client, buyer, agent, officer, second):
    entry = look(buyer, agent, reason="a secret reason")
    withhold(officer, second, [entry])

    assert entry not in uses_of(buyer.subject_id)
    assert "a secret reason" not in text_of(client)
    assert "a secret reason" not in text_of(client, "/account/data/interaction/")
    assert str(entry.pk) not in text_of(client, "/api/v1/data/uses/?who=everybody")
    assert client.get(f"/account/uses/{entry.pk}/proof/").status_code == 404
    assert client.get(f"/account/messages/new/?entry={entry.pk}").status_code == 404
    assert not [item for item in items(buyer.subject_id, Category.INTERACTION) if entry.pk in getattr(item.record, "entries", ())]
    assert not [row for section in sections() for row in section.rows(buyer.subject_id) if row.get("entry") == str(entry.pk)]


def test_the_page_counts_them_and_says_until_when(client, buyer, agent, officer, second):
    withhold(officer, second, [look(buyer, agent), look(buyer, agent)])

    assert "2 entries are withheld until" in text_of(client)
    assert [some.number for some in withheld_from(buyer.subject_id)] == [2]


def test_they_appear_when_the_time_is_over(client, buyer, agent, officer, second):
    entry = look(buyer, agent, reason="a secret reason")
    withhold(officer, second, [entry])
    Silence.objects.update(until=timezone.now())

    page = text_of(client)

    assert "a secret reason" in page
    assert "withheld until" not in page


def test_release_lets_the_person_read_them_at_once(client, buyer, agent, officer, second):
    silence = withhold(officer, second, [look(buyer, agent, reason="a secret reason")])

    with unit_of_work():
        release_silence(by=officer.actor, silence=silence)

    assert "a secret reason" in text_of(client)
    assert entries(Event.SILENCE_RELEASED, subject_id=buyer.subject_id, object_id=silence.pk) == 1
    with pytest.raises(SilenceOver):
        release_silence(by=officer.actor, silence=silence)


def test_only_a_privacy_officer_releases(buyer, agent, officer, second):
    silence = withhold(officer, second, [look(buyer, agent)])

    with pytest.raises(MayNotRelease):
        release_silence(by=second.actor, silence=silence)


def test_nobody_elses_entries_are_touched(client, buyer, agent, officer, second):
    other = make_customer()
    packed(user=other)
    withhold(officer, second, [look(other, agent)])
    look(buyer, agent, reason="asked about it")

    assert "asked about it" in text_of(client)
    assert "withheld" not in text_of(client)


def test_one_person_alone_withholds_nothing(buyer, agent, officer):
    proposal = ask(officer, [entry := look(buyer, agent)])
    seen = fingerprint_of(SILENCE, proposal.parameters, kind_named(SILENCE).describe(proposal.parameters))

    with pytest.raises(Exception, match="You asked for this yourself"):
        approve_proposal(by=officer.actor, proposal=proposal, seen=seen)

    assert entry in uses_of(buyer.subject_id)
    assert not Silence.objects.exists()


def test_beginning_is_recorded_with_law_and_decision(buyer, agent, officer, second):
    silence = withhold(officer, second, [look(buyer, agent)])

    entry = Entry.objects.get(event=Event.SILENCE_BEGUN)
    assert (entry.subject_id, entry.object_id, entry.case_id, entry.outcome) == (buyer.subject_id, silence.pk, silence.proposal_id, "fraud")


def test_whoever_looked_neither_asks_nor_decides(buyer, second):
    officer, other = (make_staff(Role.PRIVACY_OFFICER, f"{name}@example.org", enrolled=False) for name in ("one", "two"))
    with unit_of_work():
        own = [Entry(pk=record(Event.ACCOUNT_SEARCHED, by=officer.actor, subject=buyer.subject_id))]

    with pytest.raises(RoleMayNot):
        ask(officer, own)
    with pytest.raises(RoleMayNot):
        approve(officer.actor, ask(other, own))


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FRAUD, Role.AUDITOR, Role.ADMINISTRATOR])
def test_other_roles_do_not_ask(buyer, agent, role):
    entry, other = look(buyer, agent), make_staff(role, "other@example.org", enrolled=False)

    with pytest.raises(RoleMayNot):
        ask(other, [entry])


def own_use(buyer, agent):
    return [Entry.objects.filter(subject_id=buyer.subject_id, actor_id=buyer.subject_id).first()]


def of_two_people(buyer, agent):
    other = make_customer()
    packed(user=other)
    return [look(buyer, agent), look(other, agent)]


def collected(buyer, agent):
    return [Entry.objects.filter(subject_id=buyer.subject_id, event=Event.DATA_COLLECTED).first()]


def disclosed(buyer, agent):
    with unit_of_work():
        id = record(Event.DATA_DISCLOSED, by=agent.actor, subject=buyer.subject_id, purpose=Purpose.DISPATCH)
    return [Entry(pk=id)]


@pytest.mark.parametrize("found", [own_use, of_two_people, collected, disclosed])
def test_only_looks_of_others_at_one_person_can_be_withheld(buyer, agent, officer, found):
    with pytest.raises(PlanImpossible):
        ask(officer, found(buyer, agent))


@pytest.mark.parametrize("days", [0, -1, LONGEST.days + 1])
def test_the_end_is_within_six_months(buyer, agent, officer, days):
    with pytest.raises(PlanImpossible):
        ask(officer, [look(buyer, agent)], days=days)


def test_unknown_and_too_many_entries_are_refused(buyer, agent, officer):
    known = str(look(buyer, agent).pk)

    for ids in ([str(uuid7())], [known, str(uuid7())], [], [str(uuid7()) for _ in range(51)]):
        with pytest.raises(PlanImpossible):
            ask(officer, [], entries=ids)


def test_nothing_is_withheld_when_it_cannot_be_recorded(buyer, agent, officer, second, monkeypatch):
    entry = look(buyer, agent)
    run = approve(second.actor, ask(officer, [entry]))

    def broken(*args, **more):
        raise NotRecordable("broken")

    monkeypatch.setattr(actions, "record", broken)
    with pytest.raises(NotRecordable):
        run.perform()

    assert not Silence.objects.exists()
    assert entry in uses_of(buyer.subject_id)


def test_the_mail_about_an_emergency_waits_as_long_and_goes_when_released(buyer, officer, second):
    fraud = make_staff(Role.FRAUD, "fraud@example.org", enrolled=False)
    opening = silent_look(buyer, fraud)
    found = list(Entry.objects.filter(pk__in=opening.entries))
    silence = withhold(officer, second, found, days=90)
    opening.refresh_from_db()
    assert opening.notice_due_at == silence.until

    with unit_of_work():
        release_silence(by=officer.actor, silence=silence)

    with unit_of_work():
        assert give_due_notices() == 1


def test_the_mail_waits_for_the_last_of_what_withholds_the_look(buyer, officer, second):
    opening, longer, shorter = withheld_twice(buyer, officer, second)

    with unit_of_work():
        release_silence(by=officer.actor, silence=shorter)
    opening.refresh_from_db()
    assert opening.notice_due_at == longer.until

    with unit_of_work():
        release_silence(by=officer.actor, silence=longer)
    with unit_of_work():
        assert give_due_notices() == 1


def test_the_mail_waits_no_longer_than_what_still_withholds_the_look(buyer, officer, second):
    opening, longer, shorter = withheld_twice(buyer, officer, second)

    with unit_of_work():
        release_silence(by=officer.actor, silence=longer)

    opening.refresh_from_db()
    assert opening.notice_due_at == shorter.until


def test_the_customer_is_not_told_of_a_look_that_is_withheld(buyer, officer, second):
    """The page says why, and what to do first."""
    opening = silent_look(buyer, make_staff(Role.FRAUD, "fraud@example.org", enrolled=False))
    silence = withhold(officer, second, list(Entry.objects.filter(pk__in=opening.entries)), days=90)

    with pytest.raises(NoticeWithheld), unit_of_work():
        release_notice(by=officer.actor, opening=opening)
    page = f"/admin/privacy/opening/{opening.pk}/change/"
    desk = staff_client(make_staff(Role.PRIVACY_OFFICER, "desk@example.org"), "desk@example.org")
    answer = desk.post(page, {"_button": "release_notice"}, follow=True).content.decode()

    assert f"until {date_format(timezone.localtime(silence.until), 'DATE_FORMAT')}. End the withholding first" in answer
    opening.refresh_from_db()
    assert (opening.noticed_at, opening.notice_due_at) == (None, silence.until)
    assert entries(Event.NOTICE_RELEASED) == 0

    Silence.objects.update(until=timezone.now())
    with unit_of_work():
        release_notice(by=officer.actor, opening=opening)
    assert entries(Event.NOTICE_RELEASED, object_id=opening.pk) == 1


def test_the_form_refuses_in_words(buyer, agent, officer):
    from privacy.access.silences.forms import SilenceForm

    entry, day = look(buyer, agent), (timezone.now() + timedelta(days=9)).date().isoformat()
    given = {"entries": str(entry.pk), "ground": "others", "until": day, "why": "names a neighbor", "proposal": str(uuid7())}

    assert SilenceForm(officer.actor, given).is_valid()
    for changes, field in [
        ({"entries": "x"}, "entries"),
        ({"entries": str(uuid7())}, "entries"),
        ({"until": "2020-01-01"}, "until"),
        ({"why": "x@y.z"}, "why"),
    ]:
        form = SilenceForm(officer.actor, given | changes)
        assert not form.is_valid()
        assert field in form.errors
    own = SilenceForm(agent.actor, given)
    assert "You looked yourself" in str(own.errors["entries"])


def test_the_database_wants_a_whole_release(buyer, agent, officer, second):
    silence = withhold(officer, second, [look(buyer, agent)])

    with pytest.raises(IntegrityError), transaction.atomic():
        Silence.objects.filter(pk=silence.pk).update(released_at=timezone.now())


def test_a_person_who_was_erased_needs_no_silence(buyer, agent, officer, second):
    proposal = ask(officer, [look(buyer, agent)])
    type(buyer.subject).objects.filter(pk=buyer.subject_id).update(erased_at=timezone.now())

    with pytest.raises(PlanImpossible):
        approve(second.actor, proposal)
    assert Proposal.objects.get().state == Proposal.State.PROPOSED


def test_programs_read_how_many_are_withheld(client, buyer, agent, officer, second):
    silence = withhold(officer, second, [entry := look(buyer, agent), look(buyer, agent)])

    answer = client.get("/api/v1/data/uses/withheld/").json()

    assert [item["number"] for item in answer["items"]] == [2]
    assert answer["items"][0]["until"].startswith(f"{silence.until:%Y-%m-%dT%H:%M:%S}")
    assert client.get(f"/api/v1/data/uses/{entry.pk}/proof/").status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("PROTECT-2")
def test_the_customers_own_login_sees_the_number_and_not_the_entry(partners):
    """With the wall up: what the page asks of the tables of silences is granted, and nothing more is shown."""
    agent, officer, second = (
        make_staff(role, f"{role}@example.org", enrolled=False) for role in (Role.SUPPORT, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR)
    )
    user = make_customer()
    packed(user=user)
    withhold(officer, second, [look(user, agent, reason="a secret reason")])

    page = text_of(client_of(user))

    assert "1 entry is withheld until" in page
    assert "a secret reason" not in page
    assert "a secret reason" not in text_of(client_of(user), "/account/data/interaction/")


@pytest.mark.django_db(transaction=True)
def test_two_releases_at_once_leave_no_mail_waiting(partners, owner_connection):
    """The second waits for the first to commit, and then sees that nothing withholds the look any more."""
    officer, second = (make_staff(role, f"{role}@example.org", enrolled=False) for role in (Role.PRIVACY_OFFICER, Role.ADMINISTRATOR))
    user = make_customer()
    packed(user=user)
    _opening, first, other = withheld_twice(user, officer, second)
    is_released, failures, admin = threading.Event(), [], owner_connection()
    admin.autocommit = True

    def release_other():
        is_released.wait(10)
        try:
            with unit_of_work():
                release_silence(by=officer.actor, silence=other)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    releasing = threading.Thread(target=release_other)
    releasing.start()
    with unit_of_work():
        release_silence(by=officer.actor, silence=first)
        is_released.set()
        wait_until(lambda: is_waited_for(admin), "the other to wait for this one")
    releasing.join(10)

    assert failures == []
    with unit_of_work():
        assert give_due_notices() == 1


def is_waited_for(admin):
    with admin.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())")
        return cursor.fetchone()[0]
