"""One act on many orders: few at once by one person, more by two."""

import pytest
from django.urls import reverse

from orders.lifecycle.mass import CANCEL_ORDERS
from orders.lifecycle.models import Order
from privacy.access.approvals.actions import propose
from privacy.access.approvals.errors import PlanChanged, PlanImpossible, RoleMayNot
from privacy.access.approvals.kinds import fingerprint_of
from privacy.access.approvals.mass import MOST_AT_ONCE, act_on_few, plan_act
from privacy.access.approvals.models import Proposal
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Role
from privacy.vault.identifiers import uuid7
from tests.accounts.people import make_staff, staff_client
from tests.orders.factories import actor, confirmed, handed_over, make_customer
from tests.privacy.access.test_approvals import approve
from tests.privacy.rights.people import perform

pytestmark = [pytest.mark.django_db, pytest.mark.promise("COLLECT-5"), pytest.mark.promise("PROTECT-3")]
LIST = "/admin/orders/order/"


@pytest.fixture
def orders(partners):
    return [confirmed(user=make_customer()) for _ in range(3)]


@pytest.fixture
def agent(db):
    return make_staff(Role.SUPPORT, "asks@example.org")


@pytest.fixture
def page(agent):
    return staff_client(agent, "asks@example.org")


def ids_of(orders):
    return sorted(str(order.pk) for order in orders)


def seen(ids):
    return fingerprint_of(CANCEL_ORDERS.name, {"ids": ids}, plan_act(CANCEL_ORDERS, {"ids": ids}))


def choose(client, orders, **more):
    return client.post(LIST, {"action": CANCEL_ORDERS.name, "_selected_action": ids_of(orders)} | more)


def states():
    return sorted(Order.objects.values_list("state", flat=True))


def test_few_are_done_at_once_after_a_page_with_the_plan(page, orders):
    asked = choose(page, orders)
    assert asked.status_code == 200
    assert b"Marker" not in asked.content
    assert states() == ["confirmed"] * 3

    answer = choose(page, orders, _confirm="1", seen=asked.context["form"]["seen"].value())

    assert answer.status_code == 302
    assert states() == ["canceled"] * 3
    assert not Proposal.objects.exists()


def test_more_wait_for_a_second_person(page, agent, orders, settings):
    settings.MASS_ACTION_LIMIT = 2
    form = choose(page, orders).context["form"]
    given = {"_confirm": "1", "seen": form["seen"].value(), "proposal": str(form["proposal"].value()), "why": "the goods were recalled"}

    answer = choose(page, orders, **given)

    proposal = Proposal.objects.get()
    assert (answer["Location"], states()) == (proposal.get_absolute_url(), ["confirmed"] * 3)
    administrator = make_staff(Role.ADMINISTRATOR, "decides@example.org", enrolled=False).actor
    perform(approve(administrator, proposal))
    proposal.refresh_from_db()
    assert (proposal.result, states()) == ({"done": 3, "left": 0}, ["canceled"] * 3)


def test_nobody_walks_around_the_limit(agent, orders, settings):
    settings.MASS_ACTION_LIMIT = 2
    ids = ids_of(orders)

    with pytest.raises(RoleMayNot), unit_of_work():
        act_on_few(by=agent.actor, act=CANCEL_ORDERS, ids=ids, seen=seen(ids))
    assert states() == ["confirmed"] * 3


def test_other_roles_may_not(orders):
    ids = ids_of(orders)

    with pytest.raises(RoleMayNot), unit_of_work():
        act_on_few(by=actor(Role.FINANCE), act=CANCEL_ORDERS, ids=ids, seen=seen(ids))


def test_other_roles_are_offered_nothing(orders):
    finance = staff_client(make_staff(Role.FINANCE, "finance@example.org"), "finance@example.org")

    choose(finance, orders)

    assert b"orders-cancel" not in finance.get(LIST).content
    assert states() == ["confirmed"] * 3


def test_what_cannot_be_canceled_stays_and_is_counted_in_the_plan(orders):
    on_its_way = handed_over()

    plan = plan_act(CANCEL_ORDERS, {"ids": ids_of([*orders, on_its_way])})

    assert (plan.rows, plan.people, len(plan.lines)) == (3, 3, 3)


def test_an_order_that_leaves_meanwhile_changes_the_plan(agent, orders):
    ids = ids_of(orders)
    shown = seen(ids)
    with unit_of_work():
        CANCEL_ORDERS.act(agent.actor, orders[0])

    with pytest.raises(PlanChanged), unit_of_work():
        act_on_few(by=agent.actor, act=CANCEL_ORDERS, ids=ids, seen=shown)


def test_nothing_or_far_too_much_is_no_plan(agent, orders):
    for ids in ([str(uuid7())], [str(uuid7()) for _ in range(MOST_AT_ONCE)] + ids_of(orders)):
        with pytest.raises(PlanImpossible):
            plan_act(CANCEL_ORDERS, {"ids": ids})


def test_a_page_that_holds_more_fields_is_refused(page, orders):
    form = choose(page, orders).context["form"]

    answer = choose(page, orders, _confirm="1", seen=form["seen"].value(), extra="1")

    assert answer.status_code == 422
    assert states() == ["confirmed"] * 3


def test_the_same_question_sent_twice_is_one(agent, orders):
    id, ids = uuid7(), ids_of(orders)
    for _ in range(2):
        with unit_of_work():
            propose(by=agent.actor, kind=CANCEL_ORDERS.name, parameters={"ids": ids}, why="the goods were recalled", id=id)

    assert Proposal.objects.count() == 1


def test_the_list_offers_only_our_own_acts(page, orders):
    text = page.get(reverse("admin:orders_order_changelist")).content.decode()

    assert "orders-cancel" in text
    assert "delete_selected" not in text
