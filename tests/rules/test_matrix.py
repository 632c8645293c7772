"""Every cell of the matrix, role by purpose by category: on the real pages of staff, and in the interface for customers."""

import pytest

from audit.events import Event
from audit.models import Entry
from orders.payments.models import PaymentDetail
from privacy.access import gate
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.matrix import Answer, answer_to, masked_for
from privacy.policy.roles import STAFF_ROLES, Actor
from privacy.rights.restrictions import object_to_use
from tests.accounts.people import make_staff, staff_client
from tests.api.people import Caller
from tests.orders.conftest import partners  # noqa: F401  the agreements that an order needs
from tests.orders.factories import client_of, make_customer, packed
from tests.privacy.complaints.people import ask

pytestmark = pytest.mark.django_db

A, P, D, F, I = Category  # noqa: E741
WORDS = {A: "Zacchaeus Account", P: "Zuleika Purchase", D: "Markerstreet 7", F: "Zenobia Financial", I: "Marker interaction"}


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
    return user


@pytest.fixture
def pages(person):
    """Address and the kinds of data of each page on which staff open something."""
    ticket = ask(user=person, body=WORDS[I])
    with unit_of_work():
        asked = object_to_use(by=person.actor, subject=person.subject, purpose=Purpose.IMPROVEMENT, reason=WORDS[I])
    order = PaymentDetail.objects.get().payment.order
    return {
        f"/admin/orders/order/{order.pk}/change/": {P, D, F},
        f"/admin/privacy/ticket/{ticket.pk}/change/": {A, I},
        f"/admin/privacy/request/{asked.pk}/change/": {I},
        f"/admin/accounts/user/{person.pk}/change/": {A},
    }


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
    seen_somewhere = set()

    for address, kinds in pages.items():
        page = client.get(address)
        if page.status_code != 200:
            assert client.post(address, {"_open": "1", "purpose": "rights", "reason": "because"}).status_code == 403
            continue
        assert not any(words in page.content.decode() for words in WORDS.values())
        kept = page.context["kept_from_role"]
        assert kept == [str(kind.label) for kind in Category if kind in kinds - masked_for(role)], "denied: not even a mask"
        seen_somewhere |= kinds & masked_for(role)
        may_open = page.context["open_form"] is not None or "/ticket/" not in address
        for purpose in Purpose:
            last = Entry.objects.latest("id").pk
            answer = client.post(address, {"_open": "1", "purpose": purpose, "reason": "every cell"})
            if not may_open:
                assert answer.status_code == 403
                continue
            shown = {kind for kind in kinds if WORDS[kind] in answer.content.decode()}

            assert shown == {kind for kind in kinds if answer_to(role, purpose, kind) == Answer.OPEN}, (address, purpose)
            assert entered_since(last, Event.DATA_OPENED)[0] == shown
            opens_nothing = all(answer_to(role, purpose, kind) != Answer.OPEN for kind in Category)
            assert entered_since(last, Event.DATA_REFUSED)[1] == opens_nothing, (address, purpose)

    assert seen_somewhere <= masked_for(role)


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
