"""Corrections that somebody decides: proposed sealed, written only when granted, recipients told, the person answered."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.models import AccountDetails
from orders.invoices.models import InvoiceParty
from orders.lifecycle.models import OrderAddress
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import deliver_mail
from privacy.mail.models import OutboundMail
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.rights.actions import correct_record
from privacy.rights.corrections import propose_correction
from privacy.rights.decisions import decide_request
from privacy.rights.errors import AlreadyRequested, NotCorrectable, NotYourData, NotYourDecision, TooLate
from privacy.rights.models import Request, RequestDetail
from privacy.sharing.models import FollowUp
from tests.orders.factories import actor, client_of, make_customer
from tests.privacy.rights.people import disclose_to, entries
from tests.privacy.rights.test_admin import staff_client

ANSWER = "The parcel has not left us, so we changed it."


@pytest.fixture
def address(buyer):
    return OrderAddress.objects.get(subject=buyer.subject)


def propose(user, record, value="Right Street 8", field="line1"):
    with unit_of_work():
        return propose_correction(by=user.actor, record=record, field=field, value=value, reason="Marker reason")


def decide(by, request, is_granted=True, answer=ANSWER):
    with unit_of_work():
        decide_request(by=by, request=request, is_granted=is_granted, answer=answer)


def opened(user, record, name):
    record.refresh_from_db()
    with unit_of_work(), open_access(by=user.actor, purpose=Purpose.RIGHTS, subject=user.subject) as grant:
        return grant.open(getattr(record, name))


@pytest.mark.promise("RIGHTS-2")
def test_a_proposal_changes_nothing_and_keeps_both_values_sealed(buyer, address):
    request = propose(buyer, address)

    detail = RequestDetail.objects.get(request=request)
    assert opened(buyer, address, "line1") == "Markerstreet 7"
    assert (opened(buyer, detail, "old_value"), opened(buyer, detail, "new_value")) == ("Markerstreet 7", "Right Street 8")
    assert not any(text in bytes(value.token) for text in (b"Marker", b"Right") for value in (detail.old_value, detail.new_value))
    assert (request.kind, request.state) == (Request.Kind.CORRECTION, Request.State.MADE)
    assert entries(Event.REQUEST_MADE, object_id=request.pk) == 1


def test_a_proposal_refuses_others_and_the_same_record_again(buyer, address):
    with pytest.raises(NotYourData):
        propose(make_customer(), address)
    propose(buyer, address)
    with pytest.raises(AlreadyRequested):
        propose(buyer, address, field="locality", value="Elsewhere")

    assert RequestDetail.objects.count() == 1


@pytest.mark.parametrize(
    ("model", "field"), [(AccountDetails, "name"), (AccountDetails, "email"), (InvoiceParty, "name"), (OrderAddress, "country")]
)
def test_a_proposal_refuses_fields_that_are_not_corrected_this_way(buyer, model, field):
    record = model.objects.filter(subject=buyer.subject).first() or AccountDetails.objects.get(subject=buyer.subject)

    with pytest.raises(NotCorrectable):
        propose(buyer, record, field=field)


@pytest.mark.parametrize("value", ["", "x" * 201])
def test_a_proposal_refuses_what_the_field_does_not_take(buyer, address, value):
    with pytest.raises(ValidationError):
        propose(buyer, address, value)

    assert not Request.objects.exists()


def test_a_proposal_changes_nothing_if_the_entry_cannot_be_written(buyer, address):
    by = Actor(Role.CUSTOMER, buyer.subject_id, name="no token at all")

    with pytest.raises(NotRecordable), unit_of_work():
        propose_correction(by=by, record=address, field="line1", value="Right Street 8")

    assert not Request.objects.exists()


def test_a_proposal_does_not_stand_in_the_way_of_a_correction_at_once(buyer, address):
    propose(buyer, address)

    with unit_of_work():
        correct_record(by=buyer.actor, record=AccountDetails.objects.get(subject=buyer.subject), changes={"name": "Right Name"})

    assert Request.objects.filter(kind=Request.Kind.CORRECTION).count() == 2


@pytest.mark.promise("RIGHTS-2")
def test_a_granted_correction_is_written_and_recipients_are_told(buyer, address, officer):
    disclose_to(buyer, "carrier", ["delivery"])
    disclose_to(buyer, "payments", ["financial"], Purpose.PAYMENT)
    request = propose(buyer, address)

    decide(officer, request)

    assert opened(buyer, address, "line1") == "Right Street 8"
    assert opened(buyer, RequestDetail.objects.get(), "answer") == ANSWER
    told = FollowUp.objects.filter(subject=buyer.subject, kind=FollowUp.Kind.CORRECTION)
    assert [follow_up.recipient.slug for follow_up in told] == ["carrier"]
    assert entries(Event.DATA_CORRECTED, case_id=request.pk, categories=["delivery"]) == 1
    assert entries(Event.REQUEST_COMPLETED, object_id=request.pk, outcome="granted") == 1


@pytest.mark.promise("RIGHTS-2")
def test_a_rejected_correction_leaves_the_value_and_says_why(buyer, address, officer):
    request = propose(buyer, address)

    decide(officer, request, is_granted=False)

    assert opened(buyer, address, "line1") == "Markerstreet 7"
    assert opened(buyer, RequestDetail.objects.get(), "answer") == ANSWER
    assert not FollowUp.objects.exists()
    assert entries(Event.REQUEST_COMPLETED, object_id=request.pk, outcome="rejected") == 1


@pytest.mark.parametrize("role", sorted(STAFF_ROLES - {Role.PRIVACY_OFFICER}))
def test_other_roles_decide_nothing(buyer, address, role):
    with pytest.raises(NotYourDecision):
        decide(actor(role), propose(buyer, address))


def test_what_is_decided_stays_decided(buyer, address, officer):
    request = propose(buyer, address)
    decide(officer, request, is_granted=False)

    with pytest.raises(TooLate):
        decide(officer, request)
    assert opened(buyer, address, "line1") == "Markerstreet 7"


def test_a_record_that_is_gone_can_only_be_rejected(buyer, address, officer):
    request = propose(buyer, address)
    OrderAddress.objects.filter(pk=address.pk).delete()

    with pytest.raises(NotCorrectable):
        decide(officer, request)
    decide(officer, request, is_granted=False)


def test_a_decision_changes_nothing_if_the_entry_cannot_be_written(buyer, address, officer):
    request = propose(buyer, address)

    with pytest.raises(NotRecordable):
        decide(Actor(Role.PRIVACY_OFFICER, officer.id, name="no token at all"), request)

    request.refresh_from_db()
    assert request.is_open
    assert opened(buyer, address, "line1") == "Markerstreet 7"


def test_the_mail_about_a_decision_says_nothing_of_it(buyer, address, officer, mailoutbox):
    request = propose(buyer, address)
    decide(officer, request)

    deliver_mail(OutboundMail.objects.get(template="rights-decided"))

    words = mailoutbox[0].subject + mailoutbox[0].body
    assert f"/account/requests/{request.pk}/" in words
    assert not any(value in words for value in ("Marker", "Right Street", ANSWER))


# The pages


@pytest.mark.promise("RIGHTS-2")
def test_the_person_proposes_and_reads_the_answer(client, buyer, address, officer):
    page = client.get(f"/account/correct/{address.pk}/").content.decode()
    assert "Markerstreet 7" in page

    response = client.post(f"/account/correct/{address.pk}/", {"field": "line1", "value": "Right Street 8", "reason": ""})

    request = Request.objects.get()
    assert response["Location"] == f"/account/requests/{request.pk}/"
    assert client.get(f"/account/correct/{address.pk}/")["Location"] == response["Location"]
    waiting = client.get(response["Location"]).content.decode()
    assert "Right Street 8" in waiting
    assert "Our privacy officer decides this." in waiting
    decide(officer, request)
    assert ANSWER in client.get(response["Location"]).content.decode()


@pytest.mark.parametrize("sent", [{}, {"field": "country", "value": "x"}, {"field": "line1", "value": "x", "extra": "1"}])
def test_a_proposal_that_is_not_understood_loses_nothing(client, address, sent):
    page = client.post(f"/account/correct/{address.pk}/", sent)

    assert page.status_code == 422
    assert f'value="{sent["value"]}"' in page.content.decode() if sent else True
    assert not Request.objects.exists()


def test_another_persons_record_is_not_found(address):
    stranger = client_of(make_customer())

    assert stranger.get(f"/account/correct/{address.pk}/").status_code == 404
    assert stranger.post(f"/account/correct/{address.pk}/", {"field": "line1", "value": "x"}).status_code == 404
    assert Client().get(f"/account/correct/{address.pk}/").status_code == 302


def test_records_that_are_not_corrected_this_way_are_not_found(client, buyer):
    details = AccountDetails.objects.get(subject=buyer.subject)

    assert client.get(f"/account/correct/{details.pk}/").status_code == 404


def case_page(request):
    return f"/admin/privacy/request/{request.pk}/change/"


def test_the_officer_sees_masks_and_clock_and_decides_on_one_page(buyer, address):
    request, officer = propose(buyer, address), staff_client(Role.PRIVACY_OFFICER)
    page = officer.get(case_page(request)).content.decode()
    assert "Correct it" in page
    assert "left" in page
    assert not any(value in page for value in ("Marker", "Right Street"))

    officer.post(case_page(request), {"_decide": "grant", "answer": ANSWER})

    assert opened(buyer, address, "line1") == "Right Street 8"
    assert "Correct it" not in officer.get(case_page(request)).content.decode()


def test_a_decision_needs_an_answer(buyer, address):
    request, officer = propose(buyer, address), staff_client(Role.PRIVACY_OFFICER)

    page = officer.post(case_page(request), {"_decide": "grant", "answer": "yes"}).content.decode()

    request.refresh_from_db()
    assert request.is_open
    assert "yes</textarea>" in page


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPPORT, Role.ADMINISTRATOR])
def test_other_roles_have_no_decision_on_the_page(buyer, address, role):
    request = propose(buyer, address)

    response = staff_client(role).post(case_page(request), {"_decide": "grant", "answer": ANSWER})

    request.refresh_from_db()
    assert response.status_code == 403
    assert request.is_open
