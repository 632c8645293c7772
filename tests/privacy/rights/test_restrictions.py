"""A freeze and an objection hold from the next read on, for everybody and every job, until the person lifts them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from orders.lifecycle.models import OrderAddress, OrderContact
from orders.parcels.models import Parcel
from privacy.access.errors import Restricted
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Ground, Purpose
from privacy.policy.roles import Actor, Role
from privacy.retention.actions import leaving
from privacy.retention.walker import leavings
from privacy.rights.decisions import decide_request
from privacy.rights.errors import AlreadyRequested, NothingChosen, NotYourData, NotYourDecision, TooLate
from privacy.rights.models import Request, RequestDetail, Restriction
from privacy.rights.restrictions import (
    SPARED,
    end_open_matters,
    freeze_data,
    lift_restriction,
    object_to_use,
    purposes_stopped_by,
)
from privacy.sharing.actions import disclose
from tests.orders.factories import actor, count_queries, make_customer
from tests.privacy.rights.people import JOB, close_orders, entries
from tests.privacy.vault.records import any_case

ANSWER = "We have looked at it and this is our answer."


def freeze(user, *categories):
    with unit_of_work():
        return freeze_data(by=user.actor, subject=user.subject, categories=categories or tuple(Category))


def objected(user, purpose=Purpose.DISPATCH, reason="Marker reason"):
    with unit_of_work():
        return object_to_use(by=user.actor, subject=user.subject, purpose=purpose, reason=reason)


def lift(user, request):
    with unit_of_work():
        lift_restriction(by=user.actor, request=request)


def decide(officer, request, is_granted):
    with unit_of_work():
        decide_request(by=officer, request=request, is_granted=is_granted, answer=ANSWER)


def address_of(user):
    return OrderAddress.objects.get(subject=user.subject)


def read_address(user, by=JOB, purpose=Purpose.DISPATCH):
    with unit_of_work(), open_access(by=by, purpose=purpose, subject=user.subject, reason="parcel", case=any_case()) as grant:
        return grant.open(address_of(user).line1)


def read_contact(user, purpose=Purpose.ORDER):
    with unit_of_work(), open_access(by=JOB, purpose=purpose, subject=user.subject) as grant:
        return grant.open(OrderContact.objects.get(subject=user.subject).name)


@pytest.mark.promise("RIGHTS-4")
@pytest.mark.parametrize("by", [JOB, Role.FULFILLMENT], ids=["a job", "staff"])
def test_what_is_frozen_is_not_read(buyer, by):
    by = by if isinstance(by, Actor) else actor(by)
    assert read_address(buyer, by) == "Markerstreet 7"

    freeze(buyer, Category.DELIVERY)

    with pytest.raises(Restricted):
        read_address(buyer, by)
    assert entries(Event.DATA_REFUSED, subject_id=buyer.subject_id, outcome="restricted") == 1


@pytest.mark.promise("RIGHTS-4")
def test_a_freeze_of_one_kind_leaves_the_others(buyer):
    freeze(buyer, Category.DELIVERY)

    assert read_contact(buyer) == "Marker Name"


@pytest.mark.promise("USE-4")
def test_what_is_frozen_does_not_leave(buyer):
    freeze(buyer, Category.DELIVERY)

    with pytest.raises(Restricted), unit_of_work():
        disclose(
            by=JOB, recipient="carrier", purpose=Purpose.DISPATCH, subject=buyer.subject, values={"line1": address_of(buyer).line1},
            case=Parcel.objects.get(order__subject=buyer.subject),
        )  # fmt: skip


def test_what_is_frozen_is_not_written(buyer):
    freeze(buyer, Category.DELIVERY)
    record = address_of(buyer)

    with (
        pytest.raises(Restricted),
        unit_of_work(),
        open_access(by=JOB, purpose=Purpose.DISPATCH, subject=buyer.subject, writes=Event.DATA_COLLECTED),
    ):
        record.line1 = "Elsewhere 1"
        record.save()


@pytest.mark.parametrize("purpose", sorted(SPARED))
def test_a_freeze_spares_rights_law_and_the_way_back_in(buyer, purpose):
    freeze(buyer)

    by = JOB if PURPOSES[purpose].ground == Ground.LAW else buyer.actor

    with unit_of_work(), open_access(by=by, purpose=purpose, subject=buyer.subject, writes=Event.DATA_COLLECTED) as grant:
        assert all(grant.covers(buyer.subject_id, category) for category in PURPOSES[purpose].categories)


def test_the_person_still_sees_their_own(buyer):
    freeze(buyer)

    assert read_address(buyer, buyer.actor) == "Markerstreet 7"


def test_a_question_sent_while_frozen_is_read_and_nothing_else_is_opened_for_it(buyer):
    freeze(buyer)

    with unit_of_work(), open_access(by=buyer.actor, purpose=Purpose.SUPPORT, subject=buyer.subject, writes=Event.DATA_COLLECTED) as grant:
        assert grant.covers(buyer.subject_id, Category.INTERACTION)
        with pytest.raises(Restricted):
            grant.covers(buyer.subject_id, Category.DELIVERY)


@pytest.mark.promise("CHANGE-4")
def test_what_is_frozen_is_not_deleted_and_the_time_line_says_so(buyer):
    close_orders(buyer, timedelta(days=200))
    assert goes_now(OrderAddress, buyer)

    freeze(buyer, Category.DELIVERY)

    assert not goes_now(OrderAddress, buyer)
    assert goes_now(OrderContact, buyer)
    held = {found.model: found.held for found in leavings(buyer.subject_id)}
    assert (held[OrderAddress], held[OrderContact]) == (1, 0)


def goes_now(model, user):
    return leaving(model, timezone.now()).filter(subject=user.subject).exists()


def test_a_freeze_is_one_answered_request_and_one_event(buyer):
    request = freeze(buyer, Category.DELIVERY, Category.PURCHASE)

    assert (request.kind, request.state, request.outcome) == (Request.Kind.RESTRICTION, Request.State.COMPLETED, "frozen")
    assert Restriction.objects.get().categories == ["delivery", "purchase"]
    assert entries(Event.RESTRICTION_BEGUN, object_id=request.pk, categories=["delivery", "purchase"]) == 1
    assert entries(Event.REQUEST_MADE, subject_id=buyer.subject_id) == 0


def test_a_freeze_refuses_others_nothing_and_a_second_one(buyer):
    stranger = make_customer()
    with pytest.raises(NotYourData), unit_of_work():
        freeze_data(by=stranger.actor, subject=buyer.subject, categories=[Category.DELIVERY])
    with pytest.raises(NothingChosen), unit_of_work():
        freeze_data(by=buyer.actor, subject=buyer.subject, categories=[])
    first = freeze(buyer, Category.DELIVERY)
    with pytest.raises(AlreadyRequested) as refused:
        freeze(buyer, Category.PURCHASE)

    assert refused.value.request == first
    assert Restriction.objects.count() == 1


def test_a_freeze_changes_nothing_if_the_entry_cannot_be_written(buyer):
    by = Actor(Role.CUSTOMER, buyer.subject_id, name="no token at all")

    with pytest.raises(NotRecordable), unit_of_work():
        freeze_data(by=by, subject=buyer.subject, categories=[Category.DELIVERY])

    assert not Restriction.objects.exists()
    assert read_address(buyer) == "Markerstreet 7"


@pytest.mark.promise("RIGHTS-4")
def test_lifting_a_freeze_lets_the_use_go_on(buyer):
    request = freeze(buyer)

    lift(buyer, request)

    assert read_address(buyer) == "Markerstreet 7"
    assert entries(Event.RESTRICTION_LIFTED, object_id=request.pk) == 1
    with pytest.raises(TooLate):
        lift(buyer, request)
    freeze(buyer)


def test_only_the_person_lifts_it(buyer):
    request = freeze(buyer)

    with pytest.raises(NotYourData):
        lift(make_customer(), request)
    assert Restriction.objects.get().ended_at is None


def test_lifting_changes_nothing_if_the_entry_cannot_be_written(buyer):
    request = freeze(buyer)

    with pytest.raises(NotRecordable), unit_of_work():
        lift_restriction(by=Actor(Role.CUSTOMER, buyer.subject_id, name="no token at all"), request=request)

    assert Restriction.objects.get().ended_at is None


@pytest.mark.promise("RIGHTS-4")
def test_an_objection_stops_its_use_at_once_and_no_other(buyer):
    request = objected(buyer, Purpose.DISPATCH)

    with pytest.raises(Restricted):
        read_address(buyer)
    assert read_address(buyer, purpose=Purpose.RETURNS) == "Markerstreet 7"
    assert (request.state, request.topic) == (Request.State.MADE, "dispatch")
    assert entries(Event.REQUEST_MADE, object_id=request.pk, outcome="objection") == 1
    assert b"Marker" not in bytes(RequestDetail.objects.get().reason.token)


@pytest.mark.parametrize("purpose", [purpose for purpose, rule in PURPOSES.items() if rule.ground != Ground.CONSENT])
def test_nobody_objects_to_what_rests_on_law_or_their_own_request(buyer, purpose):
    with pytest.raises(NothingChosen):
        objected(buyer, purpose)


def test_an_objection_refuses_others_and_the_same_again(buyer):
    first = objected(buyer, Purpose.FRAUD)
    with pytest.raises(AlreadyRequested) as refused:
        objected(buyer, Purpose.FRAUD)
    assert refused.value.request == first
    with pytest.raises(NotYourData), unit_of_work():
        object_to_use(by=make_customer().actor, subject=buyer.subject, purpose=Purpose.DISPATCH)

    objected(buyer, Purpose.DISPATCH)
    assert Restriction.objects.count() == 2


def test_an_objection_changes_nothing_if_the_entry_cannot_be_written(buyer):
    with pytest.raises(NotRecordable), unit_of_work():
        object_to_use(by=Actor(Role.CUSTOMER, buyer.subject_id, name="no token at all"), subject=buyer.subject, purpose=Purpose.DISPATCH)

    assert not Restriction.objects.exists()
    assert not Request.objects.exists()


@pytest.mark.promise("RIGHTS-7")
def test_an_objection_that_is_upheld_keeps_the_use_stopped_until_it_is_taken_back(buyer, officer):
    request = objected(buyer)

    decide(officer, request, is_granted=True)

    with pytest.raises(Restricted):
        read_address(buyer)
    request.refresh_from_db()
    assert (request.state, request.outcome) == (Request.State.COMPLETED, "granted")
    lift(buyer, request)
    assert read_address(buyer) == "Markerstreet 7"


@pytest.mark.promise("RIGHTS-7")
def test_an_objection_that_is_rejected_lets_the_use_go_on_and_says_why(buyer, officer):
    request = objected(buyer)

    decide(officer, request, is_granted=False)

    assert read_address(buyer) == "Markerstreet 7"
    detail = RequestDetail.objects.get()
    with unit_of_work(), open_access(by=buyer.actor, purpose=Purpose.RIGHTS, subject=buyer.subject) as grant:
        assert grant.open(detail.answer) == ANSWER
    assert entries(Event.REQUEST_COMPLETED, object_id=request.pk, outcome="rejected") == 1


def test_an_objection_taken_back_before_the_decision_is_canceled(buyer, officer):
    request = objected(buyer)

    lift(buyer, request)

    request.refresh_from_db()
    assert (request.state, request.outcome) == (Request.State.CANCELED, "taken_back")
    assert entries(Event.RESTRICTION_LIFTED, object_id=request.pk) == 1
    with pytest.raises(TooLate):
        decide(officer, request, is_granted=True)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.PRIVACY_OFFICER])
def test_only_the_privacy_officer_decides(buyer, role):
    request = objected(buyer)

    with pytest.raises(NotYourDecision):
        decide(actor(role), request, is_granted=True)


def test_a_decision_changes_nothing_if_the_entry_cannot_be_written(buyer, officer):
    request = objected(buyer)

    with pytest.raises(NotRecordable):
        decide(Actor(Role.PRIVACY_OFFICER, officer.id, name="no token at all"), request, is_granted=False)

    request.refresh_from_db()
    assert request.is_open
    assert RequestDetail.objects.get().answer is None
    assert Restriction.objects.get().ended_at is None


def test_an_erasure_leaves_nothing_to_decide_and_nothing_frozen(buyer):
    freeze(buyer, Category.DELIVERY)
    request = objected(buyer)

    with unit_of_work():
        end_open_matters(buyer.subject)

    request.refresh_from_db()
    assert request.state == Request.State.CANCELED
    assert not Restriction.objects.filter(ended_at=None).exists()


def test_a_freeze_of_addresses_stops_what_needs_addresses(buyer):
    assert purposes_stopped_by([Category.DELIVERY]) == [Purpose.DISPATCH, Purpose.RETURNS, Purpose.FRAUD]


def test_spared_purposes_ask_nothing_more(buyer):
    few = count_queries(lambda: read_own(buyer))
    freeze(buyer)

    assert count_queries(lambda: read_own(buyer)) == few


def read_own(user):
    return read_address(user, user.actor, Purpose.RIGHTS)
