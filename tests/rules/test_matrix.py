"""Every cell of the matrix, role by purpose by category: on the real pages of staff, and in the interface for customers."""

from itertools import product

import pytest

from audit.events import Event
from audit.models import Entry
from marketplace.accounts import person_admin
from orders.payments.models import PaymentDetail
from privacy.access import gate
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.oversight.drawing import draw_questioned
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.matrix import BREAKS_GLASS, Answer, answer_to, masked_for
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.retention.walker import record_models
from privacy.rights.restrictions import object_to_use
from privacy.vault.fields import sealed_fields
from tests.accounts.people import make_staff, staff_client
from tests.api.people import Caller
from tests.orders.conftest import partners  # noqa: F401  the agreements that an order needs
from tests.orders.factories import actor, client_of, make_customer, packed
from tests.privacy.complaints.people import ask

pytestmark = pytest.mark.django_db

A, P, D, F, I = Category  # noqa: E741
WORDS = {A: "Zacchaeus Account", P: "Zuleika Purchase", D: "Markerstreet 7", F: "Zenobia Financial", I: "Marker interaction"}
MASKS = {kind: f"mask of {kind}" for kind in Category}
CASE = {"reason": "every cell of the matrix"}
EMERGENCY = {**CASE, "case": "none", "is_confirmed": "1"}


@pytest.fixture
def person(partners, monkeypatch):  # noqa: F811
    """Somebody with a value of each kind, who agreed to and asked for everything; every case is everybody's."""
    user = make_customer(name=WORDS[A])
    packed(user=user, name=WORDS[P])
    with unit_of_work():
        how = {"by": Actor.job("test"), "purpose": Purpose.PAYMENT, "subject": user.subject}
        with open_access(**how, writes=Event.DATA_CORRECTED):
            detail = PaymentDetail.objects.get()
            detail.payer = WORDS[F]
            detail.save()
    monkeypatch.setattr(gate, "_grounds", {purpose: [set] for purpose in Purpose})
    monkeypatch.setattr(gate, "subjects_consenting", lambda purpose, subject_ids: set(subject_ids))
    monkeypatch.setattr(gate, "_access_checks", [])
    monkeypatch.setattr(gate, "require_case", lambda *asked: None)
    monkeypatch.setattr(person_admin, "RECORDS_A_PAGE", 1000)
    for field in (field for model in record_models() for field in sealed_fields(model)):
        monkeypatch.setattr(field, "mask", MASKS[field.category])
    return user


@pytest.fixture
def pages(person):
    """Address, the kinds of data and how they are asked for, of each page on which staff open something."""
    ticket = ask(user=person, body=WORDS[I])
    with unit_of_work():
        asked = object_to_use(by=person.actor, subject=person.subject, purpose=Purpose.IMPROVEMENT, reason=WORDS[I])
    order = PaymentDetail.objects.get().payment.order
    return [
        (f"/admin/orders/order/{order.pk}/change/", {P, D, F}, CASE),
        (f"/admin/privacy/ticket/{ticket.pk}/change/", {A, I}, CASE),
        (f"/admin/privacy/request/{asked.pk}/change/", {I}, CASE),
        (f"/admin/accounts/user/{person.pk}/change/", {A}, CASE),
        (f"/admin/privacy/review/{review_of_a_look_at(person).pk}/change/", {I}, CASE),
        (f"/admin/privacy/subject/{person.subject_id}/change/", set(Category), EMERGENCY),
    ]


def review_of_a_look_at(person):
    how = {"by": actor(Role.SUPPORT), "purpose": Purpose.SUPPORT, "subject": person.subject, "reason": WORDS[I]}
    with unit_of_work(), open_access(**how) as grant:
        grant.open(person.details.name)
    with unit_of_work():
        return draw_questioned(by=actor(Role.PRIVACY_OFFICER), opening=Opening.objects.get(actor_id=how["by"].id))


def found_in(page, words):
    """The kinds of data whose words stand in the text of the page."""
    return {kind for kind in Category if words[kind] in page.content.decode()}


def entered_since(last, event):
    """The kinds of data in the entries of this event written after ``last``, and how many entries those are."""
    found = list(Entry.objects.filter(event=event, id__gt=last))
    return {category for entry in found for category in entry.categories}, len(found)


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("PROTECT-4")
@pytest.mark.promise("USE-1")
@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_every_cell_of_staff_on_their_pages(pages, role):
    client = staff_client(make_staff(role, "one@example.org"), "one@example.org")
    masked, opened = set(), set()

    for address, kinds, how in pages:
        page = client.get(address)
        if page.status_code != 200:
            assert page.status_code == client.post(address, {"_open": "1", "purpose": "rights", **how}).status_code == 403
            continue
        assert not found_in(page, WORDS)
        assert found_in(page, MASKS) == kinds & masked_for(role), "denied: not even a mask"
        masked |= found_in(page, MASKS)
        may_open = page.context["open_form"] is not None or "/ticket/" not in address
        for purpose in Purpose:
            last = Entry.objects.latest("id").pk
            answer = client.post(address, {"_open": "1", "purpose": purpose, **how})
            if not may_open:
                assert answer.status_code == 403
                continue
            shown = found_in(answer, WORDS)

            assert shown == {kind for kind in kinds if answer_to(role, purpose, kind) == Answer.OPEN}, (address, purpose)
            assert found_in(answer, MASKS) <= masked_for(role)
            assert entered_since(last, Event.DATA_OPENED)[0] == shown
            opens_nothing = all(answer_to(role, purpose, kind) != Answer.OPEN for kind in Category)
            assert entered_since(last, Event.DATA_REFUSED)[1] == opens_nothing, (address, purpose)
            opened |= {(purpose, kind) for kind in shown}

    assert masked == masked_for(role), "each mask of the matrix is on some page"
    assert opened == {cell for cell in product(Purpose, Category) if answer_to(role, *cell) == Answer.OPEN}, "and so is each open cell"


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(BREAKS_GLASS))
def test_an_emergency_opens_no_cell_before_it_is_confirmed(pages, role):
    client = staff_client(make_staff(role, "one@example.org"), "one@example.org")
    address, _kinds, how = pages[-1]
    last = Entry.objects.latest("id").pk

    answers = [client.post(address, {"_open": "1", "purpose": purpose, **how, "is_confirmed": ""}) for purpose in Purpose]

    assert not any(found_in(answer, WORDS) for answer in answers)
    assert entered_since(last, Event.DATA_OPENED) == (set(), 0)


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("RIGHTS-6")
@pytest.mark.parametrize("kind", Category)
def test_every_category_of_customers_in_the_interface(person, kind):
    ask(user=person, body=WORDS[I])
    last = Entry.objects.latest("id").pk
    address = f"/api/v1/data/categories/{kind}/"

    own = Caller(client_of(person)).get(address)
    opened = entered_since(last, Event.DATA_OPENED)[0]
    stranger = Caller(client_of(make_customer(name="Somebody Else"))).get(address)

    assert WORDS[kind] in own.content.decode()
    assert opened == {kind}
    assert not any(words in stranger.content.decode() for words in WORDS.values())
