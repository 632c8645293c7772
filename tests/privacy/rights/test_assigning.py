"""A request that one of the privacy office has: taken, given, handed back; meanwhile it is open to nobody else."""

import pytest
from django.utils import formats, timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.record import Reference
from privacy.access import errors
from privacy.access.assignment import NotTheirWork, TakenMeanwhile
from privacy.access.cases import open_cases
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.rights.actions import end_request
from privacy.rights.assigning import assign_request, release_request
from privacy.rights.decisions import decide_request
from privacy.rights.errors import NotYourDecision, TooLate
from privacy.rights.models import Request, RequestDetail
from privacy.rights.restrictions import object_to_use
from tests.accounts.people import make_staff, staff_client
from tests.orders.factories import actor, make_customer
from tests.orders.test_races import at_once, in_unit
from tests.privacy.rights.people import UNWRITABLE, entries

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-7")]

ANSWER = "We looked at your situation and stop it."


@pytest.fixture
def asked(db, partners):
    return ask_to_stop()


def ask_to_stop():
    user = make_customer()
    with unit_of_work():
        return object_to_use(by=user.actor, subject=user.subject, purpose=Purpose.IMPROVEMENT, reason="Marker reason")


@pytest.fixture
def mine(asked):
    """An officer who has it."""
    officer = actor(Role.PRIVACY_OFFICER)
    with unit_of_work():
        assign_request(by=officer, request=asked)
    return officer


def fresh(request):
    return Request.objects.get(pk=request.pk)


def reading(by, request):
    """What the gate says to somebody who opens the reason for this request."""
    detail = RequestDetail.objects.get(request=request)
    how = {"by": by, "purpose": Purpose.RIGHTS, "subject": request.subject_id, "reason": "to decide"}
    try:
        with unit_of_work(), open_access(**how, case=Reference.to(request)) as grant:
            return grant.open(detail.reason)
    except errors.AccessDenied as refusal:
        return refusal.code


def test_take_and_give_back(asked):
    officer = actor(Role.PRIVACY_OFFICER)
    with unit_of_work():
        assert assign_request(by=officer, request=asked).assigned_to_id == officer.id
        assert release_request(by=officer, request=asked).assigned_to_id is None

    assert entries(Event.REQUEST_TAKEN, outcome="ok") == entries(Event.REQUEST_RELEASED) == 1
    assert fresh(asked).assigned_to_id is None


def test_it_is_given_to_another_officer_and_to_nobody_else(asked, mine):
    colleague = make_staff(Role.PRIVACY_OFFICER)
    with unit_of_work():
        assign_request(by=mine, request=asked, agent=colleague.subject_id)

    assert fresh(asked).assigned_to_id == colleague.subject_id
    assert entries(Event.REQUEST_TAKEN, outcome="given", actor_id=mine.id) == 1
    for other in (make_staff(Role.SUPPORT, "support@example.org").subject_id, asked.subject_id):
        with pytest.raises(NotTheirWork), unit_of_work():
            assign_request(by=mine, request=asked, agent=other, seen=colleague.subject_id)


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("act", [assign_request, release_request])
def test_nothing_is_taken_from_whoever_took_it_meanwhile(asked, mine, act):
    """The page showed it as nobody's, or as somebody else's."""
    other = actor(Role.PRIVACY_OFFICER)
    for seen in (None, other.id, actor(Role.PRIVACY_OFFICER).id):
        with pytest.raises(TakenMeanwhile), unit_of_work():
            act(by=other, request=asked, seen=seen)
    assert fresh(asked).assigned_to_id == mine.id
    assert entries(Event.REQUEST_TAKEN) == 1
    assert entries(Event.REQUEST_RELEASED) == 0

    with unit_of_work():
        act(by=other, request=asked, seen=mine.id)

    assert fresh(asked).assigned_to_id == (other.id if act is assign_request else None)
    assert (fresh(asked).assigned_at is None) == (act is release_request)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_it_at_once_one_has_it(partners):
    asked = ask_to_stop()
    officers = [actor(Role.PRIVACY_OFFICER) for _ in range(6)]

    results = at_once(*[in_unit(assign_request, by=officer, request=asked) for officer in officers])

    [holder] = [officer for officer, result in zip(officers, results, strict=True) if isinstance(result, Request)]
    assert sum(isinstance(result, TakenMeanwhile) for result in results) == 5, results
    assert fresh(asked).assigned_to_id == holder.id
    assert entries(Event.REQUEST_TAKEN) == 1


def test_somebody_who_has_left_is_given_nothing(asked, mine):
    left = make_staff(Role.PRIVACY_OFFICER)
    type(left).objects.filter(pk=left.pk).update(is_active=False)

    with pytest.raises(NotTheirWork), unit_of_work():
        assign_request(by=mine, request=asked, agent=left.subject_id)


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(STAFF_ROLES - {Role.PRIVACY_OFFICER}))
@pytest.mark.parametrize("act", [assign_request, release_request])
def test_it_is_the_privacy_offices_alone(asked, role, act):
    with pytest.raises(NotYourDecision):
        act(by=actor(role), request=asked)


@pytest.mark.parametrize("act", [assign_request, release_request])
def test_what_has_ended_is_nobodys_work(asked, act):
    end_request(asked, Request.State.COMPLETED, "granted")

    with pytest.raises(TooLate):
        act(by=actor(Role.PRIVACY_OFFICER), request=asked)


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("act", [assign_request, release_request])
def test_nothing_changes_when_the_entry_cannot_be_written(asked, mine, act):
    with pytest.raises(NotRecordable), unit_of_work():
        act(by=Actor(Role.PRIVACY_OFFICER, id=actor(Role.PRIVACY_OFFICER).id, name=UNWRITABLE.name), request=asked, seen=mine.id)

    assert fresh(asked).assigned_to_id == mine.id


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("USE-2")
def test_while_somebody_has_it_nobody_else_opens_it(asked, mine):
    other = actor(Role.PRIVACY_OFFICER)

    assert reading(mine, asked) == "Marker reason"
    assert reading(other, asked) == "case_not_yours"
    assert [case.reference.id for case in open_cases(mine, asked.subject_id)] == [asked.pk]
    assert open_cases(other, asked.subject_id) == []
    with unit_of_work():
        assign_request(by=other, request=asked, seen=mine.id)
    assert [reading(other, asked), reading(mine, asked)] == ["Marker reason", "case_not_yours"]


@pytest.mark.promise("PROTECT-3")
def test_while_somebody_has_it_nobody_else_decides_it(asked, mine):
    with pytest.raises(errors.CaseNotYours), unit_of_work():
        decide_request(by=actor(Role.PRIVACY_OFFICER), request=asked, is_granted=True, answer=ANSWER)

    assert fresh(asked).state == Request.State.MADE
    with unit_of_work():
        decide_request(by=mine, request=asked, is_granted=True, answer=ANSWER)
    assert fresh(asked).state == Request.State.COMPLETED


# The page


@pytest.fixture
def office(asked):
    user = make_staff(Role.PRIVACY_OFFICER, "officer@example.org")
    return user, staff_client(user, "officer@example.org")


def page_of(request):
    return f"/admin/privacy/request/{request.pk}/change/"


def list_of(client, assigned):
    return client.get(f"/admin/privacy/request/?assigned={assigned}").content.decode()


def test_the_page_takes_gives_and_hands_back(office, asked):
    user, client = office
    colleague = make_staff(Role.PRIVACY_OFFICER, "colleague@example.org")
    assert asked.code in list_of(client, "nobody")

    client.post(page_of(asked), {"_button": "take"})
    assert fresh(asked).assigned_to_id == user.subject_id
    assert asked.code in list_of(client, "me")
    assert asked.code not in list_of(client, "nobody")
    assert colleague.subject_id.hex[-8:] in client.get(page_of(asked)).content.decode()

    client.post(page_of(asked), {"_give": "1", "agent": str(colleague.subject_id)})
    assert fresh(asked).assigned_to_id == colleague.subject_id
    assert asked.code in list_of(client, "others")

    client.post(page_of(asked), {"_button": "release", "seen": str(colleague.subject_id)})
    assert fresh(asked).assigned_to_id is None


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("pressed", ["take", "take_over", "release", "give"])
def test_a_page_from_before_a_colleague_took_it_changes_nothing_and_says_who_did(office, asked, pressed):
    _user, client = office
    colleague = make_staff(Role.PRIVACY_OFFICER, "colleague@example.org")
    third = make_staff(Role.PRIVACY_OFFICER, "third@example.org")
    with unit_of_work():
        assign_request(by=colleague.actor, request=asked)
    since = formats.date_format(timezone.localtime(fresh(asked).assigned_at), "SHORT_DATETIME_FORMAT")

    sent = {"_give": "1", "agent": str(third.subject_id)} if pressed == "give" else {"_button": pressed}
    answer = client.post(page_of(asked), sent, follow=True).content.decode()

    assert f"Privacy officer …{colleague.subject_id.hex[-8:]} took this on {since}" in answer
    assert fresh(asked).assigned_to_id == colleague.subject_id
    assert entries(Event.REQUEST_TAKEN) == 1
    if pressed == "give":
        assert f'value="{third.subject_id}" selected' in answer


@pytest.mark.promise("PROTECT-3")
def test_the_page_takes_it_over_from_the_colleague_whom_it_showed(office, asked, mine):
    user, client = office
    shown = client.get(page_of(asked)).content.decode()
    assert 'value="take_over"' in shown
    assert 'value="take"' not in shown
    assert shown.count(f'name="seen" value="{mine.id}"') == shown.count('name="_button"') + shown.count('name="_give"')

    client.post(page_of(asked), {"_button": "take_over", "seen": str(mine.id)})

    assert fresh(asked).assigned_to_id == user.subject_id


def test_the_page_gives_it_to_nobody_who_does_not_do_such_work(office, asked):
    _user, client = office
    packer = make_staff(Role.FULFILLMENT, "packer@example.org")
    make_staff(Role.PRIVACY_OFFICER, "colleague@example.org")

    response = client.post(page_of(asked), {"_give": "1", "agent": str(packer.subject_id)})

    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert fresh(asked).assigned_to_id is None


@pytest.mark.promise("PROTECT-3")
def test_the_page_of_somebody_elses_says_so_and_keeps_what_was_typed(office, asked, mine):
    _user, client = office
    shown = client.get(page_of(asked)).content.decode()
    assert "the work of somebody else now" in shown
    assert "the one on this page" not in shown

    refused = client.post(page_of(asked), {"_decide": "grant", "answer": ANSWER}).content.decode()

    assert ANSWER in refused
    assert "This case is the work of somebody else" in refused
    assert fresh(asked).state == Request.State.MADE


def test_the_auditor_gives_and_decides_nothing(asked):
    client = staff_client(make_staff(Role.AUDITOR))

    for sent in ({"_give": "1", "agent": str(asked.subject_id)}, {"_decide": "grant", "answer": ANSWER}, {"_button": "take"}):
        assert client.post(page_of(asked), sent).status_code == 403
    assert fresh(asked).assigned_to_id is None


def test_the_front_page_counts_what_is_mine_and_what_is_nobodys(office, asked):
    _user, client = office
    assert "Yours: 0. Nobody&#x27;s: 1." in client.get("/admin/").content.decode()
    client.post(page_of(asked), {"_button": "take"})

    assert "Yours: 1. Nobody&#x27;s: 0." in client.get("/admin/").content.decode()
