"""Complaints of people without an account: few, confirmed, and the same for every address."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from privacy.access.gate import unit_of_work
from privacy.complaints.actions import confirm_ticket, discard_ticket, send_link_again, write_from_outside
from privacy.complaints.actions.outside import forget_old_links
from privacy.complaints.errors import LinkUsed
from privacy.complaints.forms import FORM_SALT
from privacy.complaints.models import PublicMessage, Ticket, TicketContact, TicketLink
from privacy.complaints.timers import advance_timers
from privacy.complaints.views import outside
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS
from privacy.vault.models import DestroyedKey, Subject, SubjectKey
from tests.accounts.people import deliver_all, link_in
from tests.orders.conftest import partners  # noqa: F401
from tests.privacy.complaints.people import (
    CANARY,
    JOB,
    UNWRITABLE,
    answer,
    client_of,
    count_queries,
    entries,
    fresh,
    make_customer,
    resolve,
)

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-5"), pytest.mark.promise("RIGHTS-10")]

EMAIL = "marker.outside@example.org"
FORM = "/complain/"
TOKEN = UUID("2a9c6f3e-1111-4222-8333-444455556666")


def shown(age=10, token=TOKEN):
    """What the form holds when it was shown ``age`` seconds ago."""
    return signing.dumps([str(token), timezone.now().timestamp() - age], salt=FORM_SALT)


def sent(client=None, **more):
    data = {"kind": "complaint", "body": CANARY, "email": EMAIL, "website": "", "shown": shown(), **more}
    return (client or Client()).post(FORM, data)


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.fixture
def link():
    """The address of the mailed link."""
    assert sent()["Location"] == "/complain/sent/"
    (message,) = deliver_all()
    return link_in(message)


def followed(link):
    client = Client()
    return client, client.post(link, follow=True)


# The form


def test_what_is_written_reaches_nobody_before_the_mailbox_is_proved():
    sent()

    ticket = Ticket.objects.get()
    contact = TicketContact.objects.get()
    assert ticket.state == Ticket.State.UNCONFIRMED
    assert str(contact.email) != EMAIL
    assert CANARY not in str(PublicMessage.objects.get().body)
    assert entries(Event.TICKET_WRITTEN, object_id=ticket.pk) == 1
    assert entries(Event.TICKET_OPENED) == 0
    assert ticket.events.count() == 0
    (message,) = deliver_all()
    assert message.to == [EMAIL]
    assert "Marker" not in f"{message.subject} {message.body}"


def test_the_link_brings_it_to_us_and_the_person_to_it(link):
    client, response = followed(link)

    ticket = Ticket.objects.get()
    assert response.redirect_chain[-1][0] == f"/account/messages/{ticket.pk}/"
    assert CANARY in text_of(response)
    assert ticket.state == Ticket.State.OPEN
    assert ticket.due_at > ticket.opened_at
    assert entries(Event.TICKET_OPENED, object_id=ticket.pk) == 1
    assert client.get("/account/data/interaction/").status_code == 200
    assert [message.to for message in deliver_all()] == [[EMAIL]]


def test_looking_at_a_link_uses_nothing(link):
    for _ in range(3):
        response = Client().get(link)
        assert response.status_code == 200
        assert CANARY not in text_of(response)

    assert Ticket.objects.get().state == Ticket.State.UNCONFIRMED


def test_a_link_works_once_and_mails_a_new_one(link):
    followed(link)
    deliver_all()

    client, response = followed(link)
    assert response.status_code == 410
    assert "Mail me a new link" in text_of(response)
    assert client.get(f"/account/messages/{Ticket.objects.get().pk}/").status_code == 302

    assert client.post(f"{link}again/")["Location"] == "/complain/sent/"
    (message,) = deliver_all()
    assert message.to == [EMAIL]
    assert CANARY in text_of(followed(link_in(message))[1])
    assert entries(Event.TICKET_LINK_SENT) == 1


def test_each_mail_has_a_way_back(link):
    followed(link)
    ticket = Ticket.objects.get()
    deliver_all()

    answer(ticket)
    (message,) = deliver_all()
    assert "Marker answer" not in message.body
    assert "Marker answer of ours" in text_of(followed(link_in(message))[1])

    resolve(fresh(ticket))
    (message,) = deliver_all()
    assert "We agree with you" in text_of(followed(link_in(message))[1])


def test_a_link_that_never_was_says_nothing():
    response = followed("/complain/nonsense/")[1]

    assert response.status_code == 410
    assert "Mail me a new link" not in text_of(response)
    assert Client().post("/complain/nonsense/again/")["Location"] == "/complain/sent/"


def test_two_ask_for_the_link_at_once_and_one_gets_in(link):
    token = link.split("/")[2]
    with unit_of_work():
        confirm_ticket(by=ANONYMOUS, token=token)

    with pytest.raises(LinkUsed) as refused, unit_of_work():
        confirm_ticket(by=ANONYMOUS, token=token)
    assert refused.value.is_known


def test_a_mailed_link_never_opens_an_account(link, monkeypatch):
    from privacy.complaints import people

    monkeypatch.setattr(people, "_accounts", [lambda subject_id: TicketContact.objects.get(subject_id=subject_id)])

    assert followed(link)[1].status_code == 410
    with pytest.raises(LinkUsed), unit_of_work():
        send_link_again(by=ANONYMOUS, token=link.split("/")[2])


# The same for everybody


def test_the_answer_is_the_same_for_known_and_unknown_addresses():
    make_customer()
    known = sent(email="marker1@example.org")
    unknown = sent(email="nobody@example.org", shown=shown(token=UUID(int=1)))

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert count_queries(lambda: sent(email="marker1@example.org", shown=shown(token=UUID(int=2)))) == count_queries(
        lambda: sent(email="nobody@example.org", shown=shown(token=UUID(int=3)))
    )


def test_the_words_are_the_same_whoever_follows_a_link():
    assert text_of(Client().get("/complain/sent/")).count("@") == 0


def test_a_signed_in_customer_is_led_to_their_own_form():
    assert client_of(make_customer()).get(FORM)["Location"] == "/account/messages/new/"
    assert Client().get(FORM).status_code == 200


# Against abuse


def test_a_program_that_fills_in_everything_hears_the_same_and_nothing_is_kept():
    assert sent(website="https://spam.example/")["Location"] == "/complain/sent/"
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(("age", "why"), [(1, "very quick"), (86_500, "open for more than a day")], ids=["too quick", "too old"])
def test_a_form_filled_in_too_quickly_or_too_late_keeps_what_was_typed(age, why):
    response = sent(shown=shown(age))

    assert response.status_code == 422
    assert why in text_of(response)
    assert CANARY in text_of(response)
    assert EMAIL in text_of(response)
    assert not Ticket.objects.exists()


def test_a_form_that_was_open_too_long_can_be_sent_again():
    page = text_of(sent(shown=shown(90_000)))
    renewed = re.search(r'name="shown" value="([^"]+)"', page).group(1)

    assert signing.loads(renewed, salt=FORM_SALT)


@pytest.mark.parametrize(
    "wrong", [{"shown": ""}, {"shown": "made:up:value"}, {"email": "nobody"}, {"body": ""}, {"surprise": "x"}, {"kind": "x"}]
)
def test_a_form_that_is_wrong_is_shown_again(wrong):
    response = sent(**wrong)

    assert response.status_code == 422
    assert not Ticket.objects.exists()


def test_a_form_sent_twice_is_one_ticket():
    sent()
    sent()

    assert Ticket.objects.count() == OutboundMail.objects.count() == 1


@pytest.mark.parametrize(
    ("limit", "number", "changes"),
    [
        ("FROM_ONE_PLACE", 2, lambda turn: {"email": f"m{turn}@example.org"}),
        ("TO_ONE_MAILBOX", 2, lambda turn: {"email": f"{EMAIL.upper() if turn % 2 else EMAIL}"}),
        ("FROM_EVERYWHERE", 2, lambda turn: {"email": f"m{turn}@example.org"}),
    ],
)
def test_too_many_are_refused_and_keep_what_was_typed(monkeypatch, limit, number, changes):
    monkeypatch.setattr(outside, limit, number)
    for turn in range(number):
        client = Client(REMOTE_ADDR=f"10.0.0.{turn if limit != 'FROM_ONE_PLACE' else 1}")
        assert sent(client, shown=shown(token=UUID(int=turn + 1)), **changes(turn)).status_code == 302

    client = Client(REMOTE_ADDR="10.0.0.9" if limit != "FROM_ONE_PLACE" else "10.0.0.1")
    response = sent(client, shown=shown(token=UUID(int=99)), **changes(number))

    assert response.status_code == 429
    assert CANARY in text_of(response)
    assert Ticket.objects.count() == number


@pytest.mark.promise("PROTECT-1")
def test_the_counts_name_nobody():
    from django.core.cache import cache

    sent()

    keys = [key.decode() for key in cache._cache.get_client(None).keys("*")]
    assert [key for key in keys if "tries:complain" in key]
    assert not [key for key in keys if "marker" in key.lower() or "127.0.0.1" in key]


# Vanishing


@pytest.mark.promise("CHANGE-3")
def test_what_nobody_confirms_in_a_day_goes_with_everything():
    sent(shown=shown(token=uuid4()))  # a person whose keys this process has not met
    ticket, subject_id = Ticket.objects.get(), Ticket.objects.get().subject_id
    assert SubjectKey.objects.filter(subject_id=subject_id).exists()
    assert advance_timers(by=JOB)["discarded"] == 0
    Ticket.objects.update(opened_at=timezone.now() - timedelta(hours=25))

    assert advance_timers(by=JOB)["discarded"] == 1

    for model in (Ticket, PublicMessage, TicketContact, TicketLink):
        assert not model.objects.exists()
    assert not SubjectKey.objects.filter(subject_id=subject_id).exists()
    assert DestroyedKey.objects.filter(subject_id=subject_id).exists()
    assert Subject.objects.get(pk=subject_id).erased_at is not None
    assert entries(Event.TICKET_DISCARDED, object_id=ticket.pk) == 1
    assert deliver_all() == []
    assert not [entry for entry in Entry.objects.values_list() if "arker" in str(entry)]


def test_a_link_followed_too_late_says_what_became_of_it(link):
    Ticket.objects.update(opened_at=timezone.now() - timedelta(hours=25))
    TicketLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    advance_timers(by=JOB)

    assert "never reached us" in text_of(followed(link)[1])


def test_what_was_just_confirmed_is_not_discarded(link):
    ticket = Ticket.objects.get()
    followed(link)

    assert not discard_ticket(by=JOB, ticket=ticket)
    assert Ticket.objects.exists()


def test_old_links_go_a_day_after_they_expired(link):
    assert forget_old_links() == 0
    TicketLink.objects.update(expires_at=timezone.now() - timedelta(days=2))
    assert forget_old_links() == 1


@pytest.mark.promise("USE-3")
def test_nothing_is_kept_when_the_entry_cannot_be_written():
    with pytest.raises(NotRecordable), unit_of_work():
        write_from_outside(by=UNWRITABLE, email=EMAIL, kind=Ticket.Kind.COMPLAINT, body="x", token=TOKEN, locale="en")

    assert not Ticket.objects.exists()
    assert not TicketContact.objects.exists()


def test_unconfirmed_ones_are_on_no_page_of_staff_and_of_nobody():
    from privacy.complaints.queries import received_tickets, tickets_of, unanswered_tickets

    sent()
    ticket = Ticket.objects.get()

    assert not received_tickets().exists()
    assert not unanswered_tickets().exists()
    assert not tickets_of(ticket.subject_id).exists()
