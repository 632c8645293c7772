"""Staff open the person of an order that is theirs to work on, as long as it is: at the gate, and on the pages."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from audit.events import Event
from audit.models import Entry
from audit.record import Reference
from orders.invoices.models import Invoice
from orders.lifecycle.models import Order, OrderContact
from orders.withdrawals.actions import declare_withdrawal
from orders.withdrawals.models import ContractWithdrawal
from privacy.access import errors
from privacy.access.cases import open_cases, require_case
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.alerts.models import Alert, AlertKind
from privacy.complaints.models import Ticket
from privacy.declarations.purposes import Purpose
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7
from tests.accounts.people import make_staff, staff_client
from tests.orders.factories import confirmed, handed_over, make_customer, packed, place, received
from tests.privacy.complaints.people import ask

pytestmark = pytest.mark.django_db

PURPOSE = {
    Role.SUPPORT: Purpose.ORDER,
    Role.FULFILLMENT: Purpose.DISPATCH,
    Role.FINANCE: Purpose.PAYMENT,
    Role.FRAUD: Purpose.FRAUD,
    Role.PRIVACY_OFFICER: Purpose.RIGHTS,
}
EMERGENCY = "a chargeback of three stolen cards"


def closed(**how):
    order = handed_over(**how)
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(state="closed", completed_at=now, closed_at=now)
    return Order.objects.get(pk=order.pk)


def given_up(**how):
    """A closed order that its buyer has canceled since."""
    order = handed_over(**how)
    with unit_of_work():
        declare_withdrawal(by=Actor(Role.CUSTOMER, order.subject_id), order=order, token=uuid4())
    Order.objects.filter(pk=order.pk).update(state="closed", completed_at=timezone.now(), closed_at=timezone.now())
    return Order.objects.get(pk=order.pk)


def asked_about(**how):
    """A closed order that its buyer has a question about."""
    user = make_customer()
    order = closed(user=user)
    ask(user=user, kind=Ticket.Kind.QUESTION)
    Ticket.objects.update(about_label="orders.order", about_id=order.pk)
    return order


def answer(order, role, case=None):
    """What the gate says to this role about this order."""
    try:
        require_case(Actor(role, uuid7()), PURPOSE[role], case or _reference(order), frozenset({order.subject_id}))
    except errors.AccessDenied as refusal:
        return refusal.code
    return "open"


def _reference(row):
    return Reference.to(row)


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize(
    ("make", "support", "fulfillment", "finance", "fraud"),
    [
        (place, "open", "case_ended", "open", "open"),
        (received, "open", "open", "open", "open"),
        (confirmed, "open", "open", "open", "open"),
        (packed, "open", "open", "open", "open"),
        (closed, "case_ended", "case_ended", "case_ended", "case_ended"),
        (given_up, "open", "open", "open", "case_ended"),
        (asked_about, "open", "case_ended", "case_ended", "case_ended"),
    ],
)
def test_an_order_is_open_to_a_role_while_it_is_its_work(make, support, fulfillment, finance, fraud):
    order = make()

    answers = [answer(order, role) for role in (Role.SUPPORT, Role.FULFILLMENT, Role.FINANCE, Role.FRAUD)]

    assert answers == [support, fulfillment, finance, fraud]
    assert answer(order, Role.PRIVACY_OFFICER) == "case_not_yours"


@pytest.mark.promise("PROTECT-3")
def test_an_order_of_somebody_else_is_no_case_for_this_person():
    mine, other = received(), received()

    with pytest.raises(errors.CaseMissing):
        require_case(Actor(Role.SUPPORT, uuid7()), Purpose.ORDER, _reference(mine), frozenset({mine.subject_id, other.subject_id}))


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("case", [None, "unknown kind", "no such row"])
def test_without_a_case_staff_are_refused_and_it_is_recorded(case):
    order = received()
    reference = {"unknown kind": _reference(order.lines.get()), "no such row": _reference(Order(pk=uuid7()))}.get(case)
    contact = OrderContact.objects.get(order=order)

    with pytest.raises(errors.CaseMissing), unit_of_work():
        by = Actor(Role.SUPPORT, uuid7())
        with open_access(by=by, purpose=Purpose.ORDER, subject=order.subject_id, reason="curious", case=reference) as grant:
            grant.open(contact.name)

    refused = Entry.objects.get(event=Event.DATA_REFUSED)
    assert (refused.outcome, refused.subject_id) == ("case_missing", order.subject_id)
    assert not Opening.objects.exists()


@pytest.mark.promise("PROTECT-3")
def test_an_invoice_is_finances_for_the_law_alone_as_long_as_it_is_kept():
    order = packed()
    Order.objects.filter(pk=order.pk).update(state="closed", closed_at=timezone.now())
    invoice, finance = _reference(Invoice.objects.get(order=order)), Actor(Role.FINANCE, uuid7())
    people = frozenset({order.subject_id})

    require_case(finance, Purpose.LEGAL, invoice, people)
    with pytest.raises(errors.CaseMissing):
        require_case(finance, Purpose.PAYMENT, invoice, people)
    with pytest.raises(errors.CaseNotYours):
        require_case(Actor(Role.SUPPORT, uuid7()), Purpose.LEGAL, invoice, people)


def test_a_canceled_purchase_is_a_case_until_it_has_ended():
    order = given_up()
    withdrawal = ContractWithdrawal.objects.get(order=order)

    assert answer(order, Role.FINANCE, _reference(withdrawal)) == "open"
    ContractWithdrawal.objects.update(state="closed", outcome="refunded", closed_at=timezone.now())
    assert answer(order, Role.FINANCE, _reference(withdrawal)) == "case_ended"


def test_open_cases_are_those_of_this_person_and_this_role():
    user = make_customer()
    order, _other = received(user=user), received()
    ask(user=user)

    support = {case.words for case in open_cases(Actor(Role.SUPPORT, uuid7()), user.subject_id)}

    assert support == {f"order {order.code}", f"message {Ticket.objects.get().code}"}
    assert {case.words for case in open_cases(Actor(Role.FULFILLMENT, uuid7()), user.subject_id)} == {f"order {order.code}"}
    assert open_cases(Actor(Role.ADMINISTRATOR, uuid7()), user.subject_id) == []


# The pages


@pytest.fixture
def sign_in():
    def sign_in_as(role):
        return staff_client(make_staff(role, email=f"{role}@example.org"), email=f"{role}@example.org")

    return sign_in_as


def try_to_open(client, address, **more):
    return client.post(address, {"_open": "1", "reason": "asked by telephone", **more}).content.decode()


def page_of(order):
    return f"/admin/orders/order/{order.pk}/change/"


@pytest.mark.promise("PROTECT-3")
def test_a_closed_order_says_that_the_work_is_over_and_shows_masks(sign_in):
    order, client = closed(), sign_in(Role.SUPPORT)

    page = try_to_open(client, page_of(order), purpose="order")

    assert "Your part of this case is over" in page
    assert "Marker Name" not in page
    assert Entry.objects.filter(event=Event.DATA_REFUSED, outcome="case_ended").count() == 1


@pytest.mark.promise("PROTECT-3")
def test_another_case_of_the_person_can_be_chosen_on_the_page(sign_in):
    user = make_customer()
    old, new = closed(user=user), received(user=user)
    client = sign_in(Role.SUPPORT)

    page = try_to_open(client, page_of(old), purpose="order", case=f"orders.order:{new.pk}")

    assert "Marker Name" in page
    assert Opening.objects.get().case_id == new.pk


@pytest.mark.promise("PROTECT-3")
def test_a_case_of_another_person_is_not_offered_and_opens_nothing(sign_in):
    mine, others = closed(), received()
    client = sign_in(Role.SUPPORT)

    page = try_to_open(client, page_of(mine), purpose="order", case=f"orders.order:{others.pk}")

    assert "Marker Name" not in page
    assert not Opening.objects.exists()


@pytest.mark.promise("PROTECT-3")
def test_an_account_opens_for_a_case_of_its_person_only(sign_in):
    user = make_customer()
    address, client = f"/admin/accounts/user/{user.pk}/change/", sign_in(Role.SUPPORT)

    assert "yours to work on" in client.get(address).content.decode()
    assert "Marker Name" not in try_to_open(client, address, purpose="order")

    order = received(user=user)
    assert "Marker Name" in try_to_open(client, address, purpose="order", case=f"orders.order:{order.pk}")


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("USE-3")
def test_an_emergency_is_asked_twice_alerted_reviewable_and_told(sign_in, nobody_outside):
    order, client = closed(), sign_in(Role.FRAUD)
    how = {"purpose": "fraud", "case": "none", "reason": EMERGENCY}

    plan = try_to_open(client, page_of(order), **how)
    assert "The privacy officer gets an alert at once" in plan
    assert "Marker Name" not in plan
    assert not Opening.objects.exists()

    assert "Marker Name" in try_to_open(client, page_of(order), **how, is_confirmed="on")
    opening = Opening.objects.get()
    assert opening.is_break_glass
    assert opening.noticed_at is not None
    alert = Alert.objects.get(kind=AlertKind.BREAK_GLASS)
    assert (alert.subject_id, alert.actor_id, alert.about_id) == (order.subject_id, opening.actor_id, opening.pk)
    assert OutboundMail.objects.get(object_id=opening.pk).template == "rights-opened-without-case"
    assert {entry.outcome for entry in Entry.objects.filter(event=Event.DATA_OPENED, actor_role="fraud")} == {"break_glass"}


@pytest.mark.promise("PROTECT-3")
def test_an_emergency_needs_twenty_characters_of_reason(sign_in):
    order, client = closed(), sign_in(Role.FRAUD)

    page = try_to_open(client, page_of(order), purpose="fraud", case="none", reason="too short", is_confirmed="on")

    assert "at least 20 characters" in page
    assert not Opening.objects.exists()


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FULFILLMENT, Role.FINANCE])
def test_an_emergency_is_not_offered_to_those_who_work_on_cases(sign_in, role):
    order, client = closed(), sign_in(role)
    purpose = PURPOSE[role].value

    page = try_to_open(client, page_of(order), purpose=purpose, case="none", reason=EMERGENCY, is_confirmed="on")

    assert "Marker Name" not in page
    assert not Opening.objects.exists()


def test_an_investigation_may_ask_for_silence_for_thirty_days(sign_in):
    order, client = closed(), sign_in(Role.FRAUD)

    try_to_open(client, page_of(order), purpose="fraud", case="none", reason=EMERGENCY, is_confirmed="on", is_silent="on")

    opening = Opening.objects.get()
    assert opening.noticed_at is None
    assert 29 <= (opening.notice_due_at - timezone.now()).days <= 30
    assert not OutboundMail.objects.filter(object_id=opening.pk).exists()


@pytest.mark.promise("PROTECT-4")
def test_a_role_does_not_even_see_masks_of_what_is_denied_to_it(sign_in):
    order = packed()

    support = sign_in(Role.SUPPORT).get(page_of(order)).content.decode()
    finance = sign_in(Role.FINANCE).get(page_of(order)).content.decode()

    assert "Delivery details" not in support
    assert "Not shown to your role, not even masked: Payments and invoices" in support
    assert "Not shown to your role, not even masked: Delivery details" in finance
    assert "Name on the parcel" in support
    assert "Name on the parcel" not in finance


# What the page says of its own case


@pytest.mark.promise("PROTECT-3")
def test_a_page_offers_its_own_case_while_it_is_open_and_says_when_it_ended():
    user = make_customer()
    order, other = closed(user=user), received(user=user)
    client = staff_client(make_staff(Role.FRAUD))

    shown = client.get(page_of(order)).content.decode()

    assert "the one on this page" not in shown
    assert f"order {other.code}" in shown
    assert f"ended on {date_format(order.closed_at, 'DATETIME_FORMAT')} UTC" in shown
    assert "the one on this page" in client.get(page_of(other)).content.decode()


@pytest.mark.promise("PROTECT-3")
def test_fulfillment_reads_when_their_part_ended():
    order = closed()
    Order.objects.filter(pk=order.pk).update(completed_at=order.closed_at - timedelta(days=2))
    client = staff_client(make_staff(Role.FULFILLMENT))

    shown = client.get(page_of(order)).content.decode()

    assert f"ended on {date_format(order.closed_at - timedelta(days=2), 'DATETIME_FORMAT')} UTC" in shown
    assert "Your role opens nobody outside a case." in shown


@pytest.mark.promise("PROTECT-3")
def test_a_case_that_is_named_although_it_is_not_offered_is_refused_and_recorded():
    order = closed()
    client = staff_client(make_staff(Role.FRAUD))

    sent = {"_open": "1", "case": "", "purpose": "fraud", "reason": "another look"}
    shown = client.post(page_of(order), sent).content.decode()

    assert "Your part of this case is over" in shown
    assert Entry.objects.filter(event=Event.DATA_REFUSED, outcome="case_ended", case_id=order.pk).count() == 1
