"""A message is the case of those who handle it, until it is closed; whoever has it has it alone."""

import pytest

from audit.events import Event
from audit.record import Reference, record
from privacy.access import errors
from privacy.access.cases import open_cases, require_case
from privacy.access.gate import open_access, unit_of_work
from privacy.complaints.actions import assign_ticket
from privacy.complaints.models import Ticket, TicketEntry
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from privacy.rights.actions import end_request, request_copy
from privacy.rights.models import Request
from privacy.rights.restrictions import object_to_use
from tests.privacy.complaints.people import actor, ask, make_customer

pytestmark = pytest.mark.django_db

Kind = Ticket.Kind


def answer(row, role=Role.SUPPORT, purpose=Purpose.SUPPORT, by=None):
    """What the gate says about this ticket or request."""
    try:
        require_case(by or actor(role), purpose, Reference.to(row), frozenset({row.subject_id}))
    except errors.AccessDenied as refusal:
        return refusal.code
    return "open"


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize(
    ("kind", "support", "officer"),
    [
        (Kind.QUESTION, "open", "case_not_yours"),
        (Kind.COMPLAINT, "open", "open"),
        (Kind.PRIVACY, "open", "open"),
        (Kind.MISUSE, "case_not_yours", "open"),
    ],
)
def test_a_ticket_is_open_to_those_who_handle_its_kind(kind, support, officer):
    ticket = ask(kind=kind)

    assert [answer(ticket, Role.SUPPORT), answer(ticket, Role.PRIVACY_OFFICER)] == [support, officer]
    assert answer(ticket, Role.FULFILLMENT) == "case_not_yours"


@pytest.mark.promise("PROTECT-3")
def test_a_ticket_that_somebody_has_is_theirs_alone():
    ticket, mine = ask(), actor(Role.SUPPORT)
    with unit_of_work():
        assign_ticket(by=mine, ticket=ticket)

    assert answer(ticket, by=mine) == "open"
    assert answer(ticket) == "case_not_yours"
    assert [case.reference.id for case in open_cases(mine, ticket.subject_id)] == [ticket.pk]
    assert open_cases(actor(Role.SUPPORT), ticket.subject_id) == []


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize(("state", "said"), [("resolved", "open"), ("closed", "case_ended"), ("unconfirmed", "case_missing")])
def test_a_ticket_is_a_case_from_when_it_reaches_us_until_it_is_closed(state, said):
    ticket = ask()
    ends = {"resolved_at": ticket.opened_at, "outcome": "upheld"} if state != "unconfirmed" else {}
    later = {"resolved": {"reopen_until": ticket.due_at}, "closed": {"closed_at": ticket.due_at}}.get(state, {})
    Ticket.objects.update(state=state, **ends, **later)

    assert answer(ticket) == said


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("RIGHTS-9")
def test_a_ticket_is_no_case_of_whom_it_is_about():
    accused, ticket = actor(Role.PRIVACY_OFFICER), ask(kind=Kind.MISUSE)
    with unit_of_work():
        entry = record(Event.DATA_OPENED, by=accused, subject=ticket.subject_id)
    TicketEntry.objects.create(ticket=ticket, entry_id=entry)

    assert answer(ticket, by=accused) == "case_not_yours"
    assert answer(ticket, Role.PRIVACY_OFFICER) == "open"


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("RIGHTS-7")
def test_a_request_is_the_officers_until_it_is_answered():
    user = make_customer()
    with unit_of_work():
        request = object_to_use(by=user.actor, subject=user.subject, purpose=Purpose.ORDER)

    assert answer(request, Role.PRIVACY_OFFICER, Purpose.RIGHTS) == "open"
    assert answer(request, Role.SUPPORT) == "case_not_yours"
    end_request(request, Request.State.COMPLETED, "granted")
    assert answer(request, Role.PRIVACY_OFFICER, Purpose.RIGHTS) == "case_ended"


@pytest.mark.promise("USE-1")
def test_a_copy_that_waits_for_its_person_is_no_reason_to_open_anything():
    """The ground of the person's rights holds for the week in which the copy can be fetched; no case does."""
    user = make_customer()
    with unit_of_work():
        request = request_copy(by=user.actor, subject=user.subject)
    end_request(request, Request.State.COMPLETED, "ready")

    how = {"by": actor(Role.PRIVACY_OFFICER), "purpose": Purpose.RIGHTS, "subject": user.subject}
    type(request.export).objects.update(file="x", expires_at=request.due_at)
    with pytest.raises(errors.CaseEnded), unit_of_work(), open_access(**how, reason="curious", case=request) as grant:
        grant.open(user.details.name)
