"""The agent's case: masks until opened with a reason, forms that cannot be mistaken, and nothing typed is lost."""

import re
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.oversight.models import Review
from privacy.complaints.actions import assign_ticket, write_from_outside
from privacy.complaints.dashboard import due_soon, overdue, unanswered
from privacy.complaints.errors import TicketMoved
from privacy.complaints.models import CannedReply, InternalNote, PublicMessage, Ticket
from privacy.declarations.purposes import Purpose
from privacy.policy.dashboard import State as CardState
from privacy.policy.promises import evidence_of
from privacy.policy.roles import ANONYMOUS, STAFF_ROLES, Actor, Role
from privacy.vault.models import Subject
from tests.orders.factories import place
from tests.privacy.complaints.people import (
    CANARY,
    agent_client,
    answer,
    ask,
    count_queries,
    entries,
    fresh,
    make_customer,
    resolve,
    staff_actor,
    text_file,
)
from tests.privacy.vault.records import any_case

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-5")]

LIST = "/admin/privacy/ticket/"


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def case(ticket):
    return f"{LIST}{ticket.pk}/change/"


def reply(ticket, press="_reply", **more):
    return {"reply-body": "Marker reply", "reply-token": str(uuid4()), "reply-seen": ticket.version, press: "1", **more}


def resolution(ticket, **more):
    return {
        "resolve-body": "Marker end", "resolve-outcome": "upheld", "resolve-token": str(uuid4()), "resolve-seen": ticket.version,
        "_resolve": "1", **more,
    }  # fmt: skip


def opening(purpose="support"):
    return {"purpose": purpose, "reason": "the customer asked", "_open": "1"}


@pytest.fixture
def agent():
    return agent_client()


@pytest.fixture
def client(agent):
    return agent[1]


@pytest.fixture
def ticket():
    return ask(files=[text_file()])


# Reading


@pytest.mark.promise("PROTECT-4")
def test_list_and_case_show_masks(client, ticket):
    answer(ticket)

    for address in (LIST, f"{LIST}?clock=unanswered", case(ticket)):
        response = client.get(address)
        assert response.status_code == 200
        assert "Marker" not in text_of(response)
        assert ticket.code in text_of(client.get(LIST))


@pytest.mark.promise("USE-3")
def test_a_conversation_opens_in_place_with_its_reason_and_closes_by_itself(agent, ticket):
    user, client = agent

    shown = text_of(client.post(case(ticket), opening()))

    assert CANARY in shown
    assert "Marker name.txt" in shown
    assert "Marker Name" in shown
    assert 'data-closes-after="60"' in shown
    assert entries(Event.DATA_OPENED, actor_id=user.subject_id, case_id=ticket.pk, purpose="support") >= 1
    assert "Marker" not in text_of(client.get(case(ticket)))


def test_a_conversation_does_not_open_without_a_reason(client, ticket):
    shown = text_of(client.post(case(ticket), {**opening(), "reason": ""}))

    assert "Marker" not in shown


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_who_sees_opens_and_answers(role, ticket):
    _user, client = agent_client(role)
    sees = role in (Role.SUPPORT, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
    acts = role in (Role.SUPPORT, Role.PRIVACY_OFFICER)
    purpose = "rights" if role == Role.PRIVACY_OFFICER else "support"

    assert client.get(LIST).status_code == (200 if sees else 403)
    assert client.get(case(ticket)).status_code == (200 if sees else 403)
    opened = client.post(case(ticket), opening(purpose))
    assert (opened.status_code, CANARY in text_of(opened)) == ((200, True) if acts else (403, False))
    assert client.post(case(ticket), reply(ticket)).status_code == (302 if acts else 403)
    assert client.post(case(ticket), {"_button": "take"}).status_code == (302 if acts else 403)
    assert PublicMessage.objects.count() == (2 if acts else 1)


@pytest.mark.promise("RIGHTS-9")
def test_a_suspicion_is_read_and_answered_by_the_privacy_officer_alone():
    ticket = ask(kind=Ticket.Kind.MISUSE)
    _user, support = agent_client()
    _user, officer = agent_client(Role.PRIVACY_OFFICER)

    assert support.get(case(ticket)).status_code == 200
    assert support.post(case(ticket), opening()).status_code == 403
    assert support.post(case(ticket), reply(ticket)).status_code == 403
    assert CANARY in text_of(officer.post(case(ticket), opening("rights")))
    assert officer.post(case(ticket), resolution(ticket)).status_code == 302


@pytest.mark.promise("RIGHTS-9")
def test_the_case_shows_the_entries_asked_about_and_whose_they_are():
    person, curious = make_customer(), staff_actor(Role.SUPPORT)
    with (
        unit_of_work(),
        open_access(by=curious, purpose=Purpose.ORDER, subject=person.subject, reason="a look", case=any_case()) as grant,
    ):
        grant.open(person.details.name)
    entry = Entry.objects.get(event=Event.DATA_OPENED, actor_id=curious.id)
    ticket = ask(person, kind=Ticket.Kind.MISUSE, entries=[entry.pk])
    _user, officer = agent_client(Role.PRIVACY_OFFICER)

    shown = text_of(officer.get(case(ticket)))

    assert str(curious.id) in shown
    assert f"/admin/audit/entry/{entry.pk}/change/" in shown
    assert "Our staff: Support" in shown
    assert "In the last 90 days" in shown
    assert "a look" not in shown
    assert "a look" in text_of(officer.post(case(ticket), opening("rights")))
    look = Opening.objects.get(actor_id=curious.id)
    assert officer.post(case(ticket), {"_review": "1", "look": str(ticket.pk)}).status_code == 403
    answer = officer.post(case(ticket), {"_review": "1", "look": str(look.pk)})
    review = Review.objects.get(opening_id=look.pk)
    assert (review.cause, answer["Location"]) == (Review.Cause.COMPLAINT, f"/admin/privacy/review/{review.pk}/change/")
    assert officer.post(case(ticket), {"_review": "1", "look": str(look.pk)})["Location"] == answer["Location"]
    assert answer["Location"] in text_of(officer.get(case(ticket)))


@pytest.mark.promise("RIGHTS-9")
def test_an_officer_who_is_concerned_neither_reads_nor_answers():
    user, client = agent_client(Role.PRIVACY_OFFICER)
    person = make_customer()
    about = ask(person, kind=Ticket.Kind.PRIVACY)
    with (
        unit_of_work(),
        open_access(by=user.actor, purpose=Purpose.RIGHTS, subject=person.subject, reason="a look", case=about) as grant,
    ):
        grant.open(person.details.name)
    entry = Entry.objects.get(event=Event.DATA_OPENED, actor_id=user.subject_id)
    ticket = ask(person, kind=Ticket.Kind.MISUSE, entries=[entry.pk])

    assert client.post(case(ticket), opening("rights")).status_code == 403
    assert client.post(case(ticket), reply(ticket)).status_code == 403
    assert "Answer the customer" not in text_of(client.get(case(ticket)))


def test_the_case_leads_to_the_order(client):
    person = make_customer()
    order = place(user=person)
    from audit.record import Reference

    ticket = ask(person, about=Reference.to(order))

    assert f"/admin/orders/order/{order.pk}/change/" in text_of(client.get(case(ticket)))


# Files


def test_a_file_is_downloaded_with_the_reason_given(agent, ticket):
    user, client = agent
    page = text_of(client.post(case(ticket), opening()))
    attachment = re.search(r'name="attachment" value="([^"]+)"', page).group(1)

    response = client.post(case(ticket), {"attachment": attachment, "purpose": "support", "reason": "the customer asked", "_file": "1"})

    assert b"".join(response.streaming_content) == b"Marker text"
    assert response["Content-Security-Policy"].startswith("sandbox")
    assert entries(Event.ATTACHMENT_DOWNLOADED, actor_id=user.subject_id) == 1


@pytest.mark.parametrize("wrong", [{"purpose": "nonsense"}, {"reason": ""}, {"attachment": str(uuid4())}, {"attachment": "x"}])
def test_a_file_without_purpose_and_reason_stays_closed(client, ticket, wrong):
    attachment = PublicMessage.objects.get().attachments.get()
    data = {"attachment": str(attachment.pk), "purpose": "support", "reason": "the customer asked", "_file": "1", **wrong}

    assert client.post(case(ticket), data).status_code == 403
    assert entries(Event.ATTACHMENT_DOWNLOADED) == 0


# Writing


def test_an_answer_goes_to_the_customer_and_a_note_does_not(client, ticket):
    client.post(case(ticket), reply(ticket))
    client.post(case(ticket), {"note-body": "Marker note", "note-token": str(uuid4()), "_note": "1"})

    assert PublicMessage.objects.count() == 2
    assert InternalNote.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "press"),
    [({"note-body": "Marker note"}, "_reply"), ({"note-body": "Marker note"}, "_resolve"), ({"reply-body": "Marker reply"}, "_note")],
)
def test_the_words_of_one_form_never_go_out_by_the_button_of_another(client, ticket, fields, press):
    data = {**fields, "note-token": str(uuid4()), "reply-token": str(uuid4()), "reply-seen": 0, press: "1"}

    assert client.post(case(ticket), data).status_code == 200
    assert PublicMessage.objects.count() == 1
    assert InternalNote.objects.count() == 0


def test_asking_waits(client, ticket):
    client.post(case(ticket), reply(ticket, "_ask"))

    assert fresh(ticket).state == Ticket.State.WAITING


def test_resolving_needs_outcome_and_answer(client, ticket):
    for half in ({"resolve-outcome": ""}, {"resolve-body": ""}, {"resolve-outcome": "answered"}):
        response = client.post(case(ticket), resolution(ticket, **half))
        assert response.status_code == 200
        assert ("Marker end" in text_of(response)) == ("resolve-body" not in half)
    assert fresh(ticket).state == Ticket.State.OPEN

    client.post(case(ticket), resolution(ticket))
    assert fresh(ticket).outcome == Ticket.Outcome.UPHELD


def test_a_prepared_answer_is_put_behind_what_was_typed_and_nothing_is_sent(client, ticket):
    chosen = CannedReply.objects.create(title="Thanks", locale="en", body="Prepared thanks.")
    CannedReply.objects.create(title="Danke", locale="de", body="Vorbereitet.")
    assert "Danke" not in text_of(client.get(case(ticket)))

    response = client.post(case(ticket), reply(ticket, "_use", **{"reply-canned": str(chosen.pk)}))

    shown = response.content.decode()
    assert "Marker reply\n\nPrepared thanks." in shown
    assert PublicMessage.objects.count() == 1


def test_an_answer_from_a_page_out_of_date_keeps_what_was_typed_and_can_be_sent_again(client, ticket):
    answer(ticket, body="Marker first")

    refused = client.post(case(ticket), reply(ticket))

    shown = text_of(refused)
    assert "something has changed since you opened this page" in shown
    assert "Marker reply" in shown
    assert f'name="reply-seen" value="{fresh(ticket).version}"' in shown
    assert "the work of somebody else" in text_of(client.post(case(ticket), reply(fresh(ticket))))
    client.post(case(ticket), {"_button": "take_over", "seen": str(fresh(ticket).assigned_to_id)})
    assert client.post(case(ticket), reply(fresh(ticket))).status_code == 302
    assert PublicMessage.objects.count() == 3


def test_a_double_click_answers_once(client, ticket):
    data = reply(ticket)
    client.post(case(ticket), data)
    client.post(case(ticket), data)

    assert PublicMessage.objects.count() == 2


def test_two_agents_at_once_and_one_answer(transactional_db, partners):
    ticket = ask()
    outcomes, start = [], threading.Barrier(2)

    def press():
        agent = Actor(Role.SUPPORT, Subject.objects.create(kind=Subject.Kind.STAFF).pk)
        start.wait()
        try:
            answer(ticket, by=agent, seen=0)
            outcomes.append("sent")
        except TicketMoved:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["refused", "sent"]
    assert PublicMessage.objects.count() == 2


def test_the_buttons_take_give_back_and_hand_over(agent, ticket):
    user, client = agent
    client.post(case(ticket), {"_button": "take"})
    assert fresh(ticket).assigned_to_id == user.subject_id
    assert "badge" in text_of(client.get(f"{LIST}?assigned=me"))
    assert ticket.code in text_of(client.get(f"{LIST}?assigned=me"))
    assert ticket.code not in text_of(client.get(f"{LIST}?assigned=nobody"))

    client.post(case(ticket), {"_button": "release"})
    assert fresh(ticket).assigned_to_id is None
    client.post(case(ticket), {"_button": "refer"})
    assert fresh(ticket).kind == Ticket.Kind.MISUSE


def test_a_resolved_case_has_no_forms_but_the_note(client, ticket):
    resolve(ticket)

    shown = text_of(client.get(case(ticket)))

    assert "Answer the customer" not in shown
    assert "Answer for good" not in shown
    assert "Internal notes" in shown


def test_nothing_is_added_or_deleted_here(client, ticket):
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{ticket.pk}/delete/").status_code == 403
    assert client.get(f"{LIST}{uuid4()}/change/").status_code == 302


def test_unconfirmed_ones_are_not_there(client):
    with unit_of_work():
        ticket = write_from_outside(by=ANONYMOUS, email="a@example.org", kind=Ticket.Kind.COMPLAINT, body="x", token=uuid4(), locale="en")

    assert ticket.code not in text_of(client.get(LIST))
    assert client.get(case(ticket), follow=True).redirect_chain[0][0] == "/admin/"


@pytest.mark.parametrize("where", ["list", "case"])
def test_a_page_takes_the_same_queries_for_few_and_many(client, ticket, where):
    address = LIST if where == "list" else case(ticket)

    def more(number):
        for count in range(number):
            ask()
            answer(ticket, at=timezone.now() + timedelta(seconds=count))
            answer(
                ticket,
                by=Actor(Role.CUSTOMER, id=ticket.subject_id),
                files=[text_file()],
                at=timezone.now() - timedelta(hours=2 * count + 1),
            )

    more(2)
    client.get(address)
    few = count_queries(lambda: client.get(address))
    more(8)

    assert count_queries(lambda: client.get(address)) == few


# Prepared answers


def test_a_prepared_answer_is_written_in_the_staff_site(client):
    data = {"title": "Thanks", "locale": "en", "body": "Thank you.", "is_active": "on"}
    assert client.post("/admin/privacy/cannedreply/add/", data).status_code == 302

    assert CannedReply.objects.get().body == "Thank you."
    assert entries(Event.CANNED_REPLY_CHANGED) == 1


@pytest.mark.parametrize(("role", "status"), [(Role.AUDITOR, 403), (Role.FINANCE, 403)])
def test_a_prepared_answer_is_not_for_everybody(role, status):
    assert agent_client(role)[1].get("/admin/privacy/cannedreply/add/").status_code == status


# Front page and evidence


@pytest.mark.promise("RIGHTS-7")
def test_the_front_page_says_what_waits():
    now = timezone.now()
    support, officer, finance = (Actor(role, uuid4()) for role in (Role.SUPPORT, Role.PRIVACY_OFFICER, Role.FINANCE))
    assert overdue(support).state == CardState.GOOD
    ask(kind=Ticket.Kind.QUESTION, at=now - timedelta(days=40))
    ask(kind=Ticket.Kind.MISUSE, at=now - timedelta(days=28))
    ask(kind=Ticket.Kind.COMPLAINT)

    assert (overdue(support).number, due_soon(support).number, unanswered(support).number) == (1, 0, 2)
    assert (overdue(officer).number, due_soon(officer).number, unanswered(officer).number) == (0, 1, 2)
    assert (overdue(support).state, unanswered(support).state) == (CardState.LATE, CardState.LATE)
    assert overdue(Actor(Role.ADMINISTRATOR, uuid4())).number == 1
    assert overdue(finance) is due_soon(finance) is unanswered(finance) is None


def test_the_cards_lead_to_their_lists(client, ticket):
    Ticket.objects.update(due_at=timezone.now() - timedelta(days=1))
    page = text_of(client.get("/admin/"))

    assert "/admin/privacy/ticket/?clock=overdue" in page
    assert ticket.code in text_of(client.get(f"{LIST}?clock=overdue"))
    assert ticket.code not in text_of(client.get(f"{LIST}?clock=soon"))


@pytest.mark.promise("RIGHTS-9")
@pytest.mark.parametrize("promise", ["RIGHTS-5", "RIGHTS-9"])
def test_the_evidence_turns_red_when_we_are_late(promise):
    def judged():
        return [evidence.ok for evidence in evidence_of(promise)]

    assert judged() == [None]
    officer = staff_actor(Role.PRIVACY_OFFICER)
    ticket = ask(kind=Ticket.Kind.MISUSE)
    assert judged() == [True]
    Ticket.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert judged() == [False]
    resolve(fresh(ticket), by=officer)
    assert judged() == [True]


def test_an_agent_sees_what_is_theirs(agent, ticket):
    user, client = agent
    with unit_of_work():
        assign_ticket(by=user.actor, ticket=ticket)

    assert "me" in text_of(client.get(case(ticket)))
