"""The pages on which people ask, complain and read answers; nobody else's is ever found."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from privacy.access.gate import open_access, unit_of_work
from privacy.complaints.actions import ask_customer, withdraw_ticket, write_note
from privacy.complaints.models import PublicMessage, Ticket, TicketAttachment
from privacy.complaints.timers import advance_timers
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from privacy.rights.actions import request_copy
from privacy.rights.models import ExportJob
from privacy.vault.models import Subject
from tests.accounts.people import deliver_all
from tests.guests import guest_client
from tests.orders.factories import place
from tests.privacy.complaints.people import (
    CANARY,
    JOB,
    agent_of,
    answer,
    ask,
    client_of,
    count_queries,
    entries,
    fresh,
    make_customer,
    person_of,
    resolve,
    staff_actor,
    text_file,
)
from tests.privacy.rights.people import make_agent, perform
from tests.privacy.vault.records import any_case

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-5")]

LIST, NEW = "/account/messages/", "/account/messages/new/"


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def form(**more):
    return {"kind": "complaint", "body": CANARY, "token": str(uuid4()), **more}


@pytest.fixture
def person():
    return make_customer()


@pytest.fixture
def client(person):
    return client_of(person)


@pytest.fixture
def ticket(person):
    return ask(person)


@pytest.fixture
def page(ticket):
    return f"{LIST}{ticket.pk}/"


# Writing


def test_a_customer_writes_and_reads_by_when_we_answer(client, person):
    response = client.post(NEW, form(), follow=True)

    shown = text_of(response)
    ticket = Ticket.objects.get(subject=person.subject)
    assert response.redirect_chain[-1][0] == f"{LIST}{ticket.pk}/"
    assert CANARY in shown
    assert "We answer by" in shown
    assert ticket.code in text_of(client.get(LIST))


def test_a_form_sent_twice_is_one_ticket(client):
    sent = form()
    client.post(NEW, sent)
    client.post(NEW, sent)

    assert Ticket.objects.count() == PublicMessage.objects.count() == 1


def test_a_customer_chooses_one_of_their_orders(client, person):
    own, theirs = place(user=person), place(user=make_customer())
    shown = text_of(client.get(NEW))
    assert own.code in shown
    assert theirs.code not in shown

    assert client.post(NEW, form(about=f"orders.order:{theirs.pk}")).status_code == 422
    response = client.post(NEW, form(about=f"orders.order:{own.pk}"), follow=True)

    assert f'href="/account/orders/{own.code}/"' in text_of(response)


@pytest.mark.parametrize("wrong", [{"body": ""}, {"kind": "nonsense"}, {"token": "x"}, {"surprise": "x"}, {"body": "a" * 5001}])
def test_a_form_that_is_wrong_is_shown_again(client, wrong):
    response = client.post(NEW, form(**wrong))

    assert response.status_code == 422
    assert "There is a problem" in text_of(response)
    assert not Ticket.objects.exists()


def test_the_conversation_is_the_persons_own_opened_and_entered(client, person, ticket, page):
    answer(ticket)

    shown = text_of(client.get(page))

    assert CANARY in shown
    assert "Marker answer of ours" in shown
    assert entries(Event.DATA_OPENED, actor_id=person.subject_id, case_id=ticket.pk, purpose="support") == 1


def test_a_reply_and_its_double(client, ticket, page):
    sent = {"body": "one more thing", "token": str(uuid4())}
    for _ in range(2):
        assert client.post(page, sent).status_code == 302

    assert PublicMessage.objects.filter(ticket=ticket).count() == 2
    assert "one more thing" in text_of(client.get(page))


def test_an_internal_note_is_not_on_the_page_of_the_person(client, ticket, page):
    with unit_of_work():
        write_note(by=staff_actor(Role.SUPPORT), ticket=ticket, body="Marker note", token=uuid4())

    shown = text_of(client.get(page))

    assert "Marker note" not in shown
    assert "internal note" not in shown


def test_a_question_of_ours_is_seen_and_answered(client, ticket, page):
    with unit_of_work():
        ask_customer(by=staff_actor(Role.SUPPORT), ticket=ticket, body="which one?", token=uuid4())
    assert "We asked you something." in text_of(client.get(page))

    client.post(page, {"body": "this one", "token": str(uuid4())})

    assert fresh(ticket).state == Ticket.State.OPEN


def test_an_answer_shows_outcome_authority_and_a_way_back(client, ticket, page):
    resolve(ticket)

    shown = text_of(client.get(page))

    assert "We agree with you" in shown
    assert "have us look again until" in shown
    assert "authority" in shown
    assert client.post(f"{page}reopen/", {"body": "no, it was not", "token": str(uuid4())}).status_code == 302
    assert fresh(ticket).reopened == 1


def test_words_typed_into_a_page_that_ended_meanwhile_are_kept(client, ticket, page):
    resolve(ticket)

    response = client.post(page, {"body": "Marker late words", "token": str(uuid4())})

    assert response.status_code == 409
    assert "Marker late words" in text_of(response)
    assert "ended meanwhile" in text_of(response)


def test_what_is_closed_says_where_to_go(client, ticket, page):
    resolve(ticket, at=timezone.now() - timedelta(days=31))
    assert "Look again" not in text_of(client.get(page))
    advance_timers(by=JOB)

    shown = text_of(client.get(page))
    assert "write a new message, or go to the authority" in shown
    refused = client.post(f"{page}reopen/", {"body": "Marker more", "token": str(uuid4())})
    assert refused.status_code == 409
    assert "30 days to look at this again are over" in text_of(refused)


def test_a_customer_takes_it_back(client, ticket, page):
    client.post(f"{page}withdraw/")

    assert fresh(ticket).outcome == Ticket.Outcome.WITHDRAWN
    assert client.post(f"{page}withdraw/").status_code == 409


def test_we_say_that_we_are_late(client, ticket, page):
    Ticket.objects.update(due_at=timezone.now() - timedelta(days=1))

    assert "We are late." in text_of(client.get(page))
    assert "we are late" in text_of(client.get(LIST))


def test_words_that_can_no_longer_be_read_do_not_break_the_page(client, ticket, page, owner_connection):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE privacy_publicmessage SET body = overlay(body placing '\\x00' from 40)")

    response = client.get(page)

    assert response.status_code == 200
    assert "can no longer be read" in text_of(response)


# Suspicions


@pytest.fixture
def looked(person):
    agent = staff_actor(Role.SUPPORT)
    with (
        unit_of_work(),
        open_access(by=agent, purpose=Purpose.ORDER, subject=person.subject, reason="a look", case=any_case()) as grant,
    ):
        grant.open(person.details.name)
    return Entry.objects.get(event=Event.DATA_OPENED, actor_id=agent.id)


@pytest.mark.promise("RIGHTS-9")
def test_this_was_not_justified_shows_the_entries_in_words_and_keeps_them(client, looked):
    shown = text_of(client.get(f"{NEW}?entry={looked.pk}"))
    assert "Our staff: Support" in shown
    assert "This was not justified" in shown

    response = client.post(NEW, form(kind="misuse", entry=[str(looked.pk)]), follow=True)

    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.entries.get().entry_id) == ("misuse", looked.pk)
    assert "Our staff: Support" in text_of(response)


@pytest.mark.promise("RIGHTS-9")
def test_choosing_none_leads_back_to_the_list_as_it_was_filtered(client, looked):
    answer = client.get(f"{NEW}?who=staff&chosen=1", follow=True)

    assert answer.redirect_chain == [("/account/uses/?who=staff", 302)]
    assert "Choose at least one entry first" in text_of(answer)
    assert client.get(f"{NEW}?who=staff&chosen=1&entry={looked.pk}").status_code == 200


@pytest.mark.promise("RIGHTS-9")
def test_an_entry_about_somebody_else_is_not_found(looked):
    other = client_of(make_customer())

    for entry in (looked.pk, uuid4(), "nonsense"):
        assert other.get(f"{NEW}?entry={entry}").status_code == 404
        assert other.post(NEW, form(kind="misuse", entry=[str(entry)])).status_code == 404
    assert not Ticket.objects.exists()


# Who


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize(("method", "part"), [("get", ""), ("post", ""), ("post", "reopen/"), ("post", "withdraw/")])
def test_another_persons_ticket_is_not_found(page, method, part):
    other = client_of(make_customer())

    assert getattr(other, method)(f"{page}{part}", form()).status_code == 404
    assert getattr(other, method)(f"{LIST}{uuid4()}/{part}", form()).status_code == 404
    assert getattr(other, method)(f"{LIST}nonsense/{part}", form()).status_code == 404


@pytest.mark.parametrize(("method", "part"), [("put", ""), ("get", "reopen/"), ("get", "withdraw/")])
def test_only_the_right_method(client, page, method, part):
    assert getattr(client, method)(f"{page}{part}").status_code == 405


def test_pages_are_for_customers(page):
    for address in (LIST, NEW, page):
        assert Client().get(address)["Location"].startswith("/sign-in/")
        assert client_of(make_agent()).get(address).status_code == 302


@pytest.mark.promise("RIGHTS-10")
def test_a_guest_writes_and_reads_as_everybody(person):
    guest = guest_client(Subject.objects.create())

    response = guest.post(NEW, form(), follow=True)

    assert CANARY in text_of(response)
    assert guest.get(LIST).status_code == 200
    assert guest.get(f"{LIST}{ask(person).pk}/").status_code == 404


@pytest.mark.parametrize("where", [LIST, "page"])
def test_a_page_takes_the_same_queries_for_few_and_many(client, person, ticket, page, where):
    address = page if where == "page" else LIST

    def more(number):
        for count in range(number):
            at = timezone.now() - timedelta(hours=2 * count + 2)
            answer(ticket, by=person_of(ticket), files=[text_file()], at=at)
            other = ask(person, at=at)
            with unit_of_work():
                withdraw_ticket(by=person.actor, ticket=other)

    more(2)
    client.get(address)
    few = count_queries(lambda: client.get(address))
    more(9)

    assert count_queries(lambda: client.get(address)) == few


def test_the_list_has_pages(client, person):
    for count in range(22):
        with unit_of_work():
            withdraw_ticket(by=person.actor, ticket=ask(person, at=timezone.now() - timedelta(hours=2 * count)))

    assert client.get(LIST).content.count(b'<th scope="row">') == 20
    assert client.get(f"{LIST}?page=2").content.count(b'<th scope="row">') == 2


# Mail, log, copy


@pytest.mark.promise("PROTECT-4")
def test_no_mail_and_no_log_entry_holds_a_word(client, person, page, ticket):
    answer(ticket)
    with unit_of_work():
        ask_customer(by=agent_of(ticket), ticket=ticket, body="Marker question", token=uuid4())
    sent = [f"{message.subject} {message.body}" for message in deliver_all()]
    client.post(page, {"body": "Marker reply", "token": str(uuid4())})
    resolve(ticket)
    sent += [f"{message.subject} {message.body}" for message in deliver_all()]

    assert len(sent) == 4
    assert mail.outbox[-1].to == [address_of(person)]
    assert not [text for text in sent if "Marker" in text]
    assert all(f"/account/messages/{ticket.pk}/" in text for text in sent)
    assert not [entry for entry in Entry.objects.values_list() if "Marker" in str(entry)]


def address_of(person):
    with unit_of_work(), open_access(by=person.actor, purpose=Purpose.RIGHTS, subject=person.subject) as grant:
        return grant.open(person.details.email)


@pytest.mark.promise("RIGHTS-1")
def test_the_copy_holds_messages_notes_names_and_files(person):
    import zipfile
    from io import BytesIO

    from privacy.rights.copies import download_copy

    ticket = ask(person, files=[text_file("Marker inside")])
    answer(ticket)
    with unit_of_work():
        write_note(by=agent_of(ticket), ticket=ticket, body="Marker note", token=uuid4())
        request = request_copy(by=person.actor, subject=person.subject)
    perform(ExportJob.objects.get(request=request))
    with unit_of_work():
        chunks, _size = download_copy(by=person.actor, request=request)

    bag = zipfile.ZipFile(BytesIO(b"".join(chunks)))

    everything = b"\n".join(bag.read(name) for name in bag.namelist())
    for words in (CANARY, "Marker answer of ours", "Marker note", "Marker name.txt", "Marker inside"):
        assert words.encode() in everything
    (held,) = [name for name in bag.namelist() if name.startswith("data/files/")]
    assert bag.read(held) == b"Marker inside"
    assert held in bag.read("manifest-sha256.txt").decode()
    assert ticket.code in bag.read("data/tickets.csv").decode()


@pytest.mark.promise("RIGHTS-1")
def test_the_data_page_shows_messages_and_notes_with_honest_labels(client, ticket):
    with unit_of_work():
        write_note(by=staff_actor(Role.SUPPORT), ticket=ticket, body="Marker note", token=uuid4())

    shown = text_of(client.get("/account/data/interaction/"))

    assert CANARY in shown
    assert "Marker note" in shown
    assert "Internal note of our staff about your message" in shown
    assert "12 months after the message is closed" in shown


def test_everything_of_the_person_is_there():
    assert TicketAttachment.lifetime.starts == "message__ticket__closed_at"
