"""What happens to tickets: done, refused, entered once, and nothing when it cannot be entered."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from audit.record import Reference, record
from privacy.access.assignment import NotTheirWork, TakenMeanwhile
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.complaints.actions import (
    ask_customer,
    assign_ticket,
    close_ticket,
    open_ticket,
    post_message,
    refer_ticket,
    release_ticket,
    reopen_ticket,
    resolve_ticket,
    save_canned_reply,
    withdraw_ticket,
    write_note,
)
from privacy.complaints.clocks import REOPEN_WITHIN, UNCONFIRMED_FOR, WAIT_FOR_CUSTOMER
from privacy.complaints.errors import (
    AgentConcerned,
    AnswerMissing,
    BodyRefused,
    NotYourCase,
    NotYourTicket,
    PersonErased,
    ReopeningOver,
    TicketEnded,
    TicketMoved,
    TicketRefused,
    TicketStillOpen,
    TooManyFiles,
    TooManyMessages,
    TooManyTickets,
    UnknownAbout,
)
from privacy.complaints.models import CannedReply, InternalNote, PublicMessage, Ticket, TicketAttachment, TicketEntry, TicketEvent
from privacy.complaints.timers import advance_timers
from privacy.declarations.purposes import Purpose
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject
from tests.accounts.people import make_staff
from tests.orders.factories import place
from tests.privacy.complaints.people import (
    CANARY,
    JOB,
    UNWRITABLE,
    answer,
    ask,
    entries,
    fresh,
    make_customer,
    person_of,
    resolve,
    staff_actor,
    text_file,
)
from tests.privacy.vault.records import any_case

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-5")]

Kind, State, Outcome = Ticket.Kind, Ticket.State, Ticket.Outcome


def opened(record, by, purpose=Purpose.SUPPORT, **more):
    how = {"reason": "asked", "case": record.ticket, **more}
    with unit_of_work(), open_access(by=by, purpose=purpose, subject=record.subject_id, **how) as grant:
        return grant.open(record.body)


def steps(ticket):
    return [event.kind for event in ticket.events.all()]


def mails(ticket):
    return list(OutboundMail.objects.filter(object_id=ticket.pk).order_by("pk").values_list("template", flat=True))


# Opening


def test_open_ticket_keeps_the_words_sealed_and_tells_by_when():
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    ticket = ask(locale="de", at=at, kind=Kind.QUESTION)

    message = PublicMessage.objects.get(ticket=ticket)
    assert (ticket.state, ticket.kind, ticket.locale, ticket.opened_at) == (State.OPEN, Kind.QUESTION, "de", at)
    assert ticket.due_at == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert ticket.unanswered_since == at
    assert str(message.body) != CANARY
    assert opened(message, person_of(ticket)) == CANARY
    assert steps(ticket) == ["opened"]
    assert mails(ticket) == ["tickets-received"]
    assert entries(Event.TICKET_OPENED, object_id=ticket.pk, subject_id=ticket.subject_id, outcome="question") == 1


def test_open_ticket_sent_twice_is_one():
    user, token = make_customer(), uuid4()
    first = ask(user, token=token)

    assert ask(user, token=token) == first
    assert Ticket.objects.count() == PublicMessage.objects.count() == entries(Event.TICKET_OPENED) == 1


def test_open_ticket_refuses_another_person():
    user, other = make_customer(), make_customer()

    with pytest.raises(NotYourTicket), unit_of_work():
        open_ticket(by=other.actor, subject=user.subject, kind=Kind.QUESTION, body="x", token=uuid4())
    assert not Ticket.objects.exists()


def test_open_ticket_is_about_an_order_of_the_person():
    user, other = make_customer(), make_customer()
    own, theirs = place(user=user), place(user=other)

    assert ask(user, about=Reference.to(own)).about == Reference.to(own)
    with pytest.raises(UnknownAbout):
        ask(user, about=Reference.to(theirs))
    with pytest.raises(UnknownAbout):
        ask(user, about=Reference("orders.order", uuid4()))


@pytest.mark.parametrize("body", ["", "  \n ", "a" * 5001])
def test_open_ticket_refuses_empty_and_endless_words(body):
    with pytest.raises(BodyRefused):
        ask(body=body)
    assert not Ticket.objects.exists()


def test_open_ticket_refuses_more_than_twenty_open_ones():
    user = make_customer()
    for number in range(20):
        ask(user, at=timezone.now() - timedelta(hours=2 * number))

    with pytest.raises(TooManyTickets):
        ask(user, at=timezone.now())


def test_open_ticket_refuses_an_erased_person():
    user = make_customer()
    Subject.objects.filter(pk=user.subject_id).update(erased_at=timezone.now())

    with pytest.raises(PersonErased):
        ask(user)


def test_open_ticket_keeps_nothing_when_the_entry_cannot_be_written(monkeypatch, files):
    from privacy.complaints.actions import steps as shared

    monkeypatch.setattr(shared, "record", lambda *args, **how: (_ for _ in ()).throw(NotRecordable("no")))
    with pytest.raises(NotRecordable):
        ask(files=[text_file()])

    assert not Ticket.objects.exists()
    assert not TicketAttachment.objects.exists()
    assert [path for path in files.rglob("*") if path.is_file()] == []


# Log entries


@pytest.fixture
def looked():
    """(person, agent, entry): somebody of support has opened something of the person."""
    user, agent = make_customer(), staff_actor(Role.SUPPORT)
    with (
        unit_of_work(),
        open_access(by=agent, purpose=Purpose.ORDER, subject=user.subject, reason="a look", case=any_case()) as grant,
    ):
        grant.open(user.details.name)
    return user, agent, Entry.objects.get(event=Event.DATA_OPENED, actor_id=agent.id)


@pytest.mark.promise("RIGHTS-9")
def test_a_suspicion_refers_to_log_entries_about_that_person(looked):
    user, _agent, entry = looked

    ticket = ask(user, kind=Kind.MISUSE, entries=[entry.pk])

    assert list(ticket.entries.values_list("entry_id", flat=True)) == [entry.pk]


@pytest.mark.promise("RIGHTS-9")
def test_a_suspicion_about_somebody_elses_entry_is_refused(looked):
    _user, _agent, entry = looked

    for ids in ([entry.pk], [uuid4()]):
        with pytest.raises(NotYourTicket):
            ask(make_customer(), kind=Kind.MISUSE, entries=ids)
    assert not Ticket.objects.exists()


@pytest.mark.promise("RIGHTS-9")
def test_whoever_the_suspicion_is_about_does_not_handle_it():
    user, officer = make_customer(), staff_actor(Role.PRIVACY_OFFICER)
    about = ask(user, kind=Kind.PRIVACY)
    with (
        unit_of_work(),
        open_access(by=officer, purpose=Purpose.RIGHTS, subject=user.subject, reason="a look", case=about) as grant,
    ):
        grant.open(user.details.name)
    entry = Entry.objects.get(event=Event.DATA_OPENED, actor_id=officer.id)
    ticket = ask(user, kind=Kind.MISUSE, entries=[entry.pk])

    for act in (
        lambda: answer(ticket, by=officer),
        lambda: resolve(ticket, by=officer),
        lambda: assign_ticket(by=officer, ticket=ticket),
        lambda: write_note(by=officer, ticket=ticket, body="x", token=uuid4()),
    ):
        with pytest.raises(AgentConcerned), unit_of_work():
            act()
    assert resolve(ticket, by=staff_actor(Role.PRIVACY_OFFICER), outcome=Outcome.UPHELD).outcome == Outcome.UPHELD


@pytest.mark.promise("RIGHTS-9")
def test_support_does_not_judge_a_suspicion():
    ticket = ask(kind=Kind.MISUSE)

    for act in (lambda: answer(ticket), lambda: resolve(ticket)):
        with pytest.raises(NotYourCase):
            act()


# Writing


def test_an_answer_is_public_sealed_and_told():
    ticket, agent = ask(), staff_actor(Role.SUPPORT)

    message = answer(ticket, by=agent)

    now = fresh(ticket)
    assert opened(message, person_of(ticket)) == "Marker answer of ours"
    assert message.author == PublicMessage.Author.STAFF
    assert now.first_answered_at == message.written_at
    assert now.unanswered_since is None
    assert now.assigned_to_id == agent.id
    assert now.version == ticket.version + 1
    assert mails(ticket) == ["tickets-received", "tickets-answered"]
    assert entries(Event.TICKET_ANSWERED, object_id=ticket.pk, actor_id=agent.id) == 1


def test_the_privacy_officer_answers_complaints_and_no_questions():
    officer = staff_actor(Role.PRIVACY_OFFICER)

    for kind in (Kind.COMPLAINT, Kind.PRIVACY, Kind.MISUSE):
        assert answer(ask(kind=kind), by=officer).author_id == officer.id
    with pytest.raises(NotYourCase):
        answer(ask(kind=Kind.QUESTION), by=officer)


@pytest.mark.parametrize("role", sorted({*Role} - {Role.SUPPORT, Role.PRIVACY_OFFICER, Role.CUSTOMER, Role.JOB}))
def test_nobody_else_answers(role):
    ticket = ask()

    with pytest.raises(NotYourCase):
        answer(ticket, by=staff_actor(role))
    with pytest.raises(NotYourCase):
        resolve(ticket, by=staff_actor(role))


def test_another_customer_cannot_write():
    ticket, other = ask(), make_customer()

    for act in (
        lambda: answer(ticket, by=other.actor),
        lambda: withdraw_ticket(by=other.actor, ticket=ticket),
        lambda: reopen_ticket(by=other.actor, ticket=ticket, body="x", token=uuid4()),
    ):
        with pytest.raises(TicketRefused), unit_of_work():
            act()
    assert PublicMessage.objects.count() == 1


def test_an_answer_sent_twice_is_one():
    ticket, agent, token = ask(), staff_actor(Role.SUPPORT), uuid4()

    assert answer(ticket, by=agent, token=token, seen=0) == answer(ticket, by=agent, token=token, seen=0)
    assert entries(Event.TICKET_ANSWERED) == 1


def test_an_answer_from_a_page_that_is_out_of_date_is_refused():
    ticket = ask()
    answer(ticket, seen=0)

    for act in (
        lambda: answer(ticket, seen=0),
        lambda: resolve(ticket, seen=0),
        lambda: ask_customer(by=staff_actor(Role.SUPPORT), ticket=ticket, body="x", token=uuid4(), seen=0),
    ):
        with pytest.raises(TicketMoved), unit_of_work():
            act()
    assert PublicMessage.objects.count() == 2


def test_a_customer_is_never_refused_for_being_out_of_date():
    ticket = ask()
    answer(ticket)

    assert answer(ticket, by=person_of(ticket), seen=0)


def test_nobody_writes_into_what_has_ended():
    ticket = resolve(ask())

    for by in (staff_actor(Role.SUPPORT), person_of(ticket)):
        with pytest.raises(TicketEnded):
            answer(ticket, by=by)


def test_a_customer_writes_twenty_messages_an_hour():
    ticket, at = ask(), timezone.now()
    for number in range(19):
        answer(ticket, by=person_of(ticket), at=at + timedelta(seconds=number))

    with pytest.raises(TooManyMessages):
        answer(ticket, by=person_of(ticket), at=at + timedelta(minutes=1))
    assert answer(ticket, by=person_of(ticket), at=at + timedelta(minutes=61))


def test_a_message_takes_five_files():
    with pytest.raises(TooManyFiles):
        ask(files=[text_file()] * 6)
    ask(files=[text_file()] * 5)
    assert TicketAttachment.objects.count() == 5


@pytest.mark.parametrize("kind", [Kind.QUESTION, Kind.COMPLAINT])
def test_the_clock_of_a_question_stands_still_while_we_wait(kind):
    start = timezone.now() - timedelta(days=20)
    ticket = ask(kind=kind, at=start)
    with unit_of_work():
        ask_customer(by=staff_actor(Role.SUPPORT), ticket=ticket, body="which one?", token=uuid4(), at=start + timedelta(days=2))
    assert fresh(ticket).state == State.WAITING
    assert mails(ticket)[-1] == "tickets-waiting"

    answer(ticket, by=person_of(ticket), at=start + timedelta(days=12))

    now = fresh(ticket)
    assert (now.state, now.waiting_since) == (State.OPEN, None)
    assert now.due_at == ticket.due_at + timedelta(days=10)
    assert now.unanswered_since == start + timedelta(days=12)


@pytest.mark.promise("RIGHTS-9")
@pytest.mark.parametrize("kind", [Kind.PRIVACY, Kind.MISUSE])
def test_the_month_of_the_law_stands_still_for_nothing(kind):
    start, officer = timezone.now() - timedelta(days=20), staff_actor(Role.PRIVACY_OFFICER)
    ticket = ask(kind=kind, at=start)
    with unit_of_work():
        ask_customer(by=officer, ticket=ticket, body="which one?", token=uuid4(), at=start + timedelta(days=2))

    answer(ticket, by=person_of(ticket), at=start + timedelta(days=12))

    assert fresh(ticket).due_at == ticket.due_at


# Handling


def test_take_and_give_back():
    ticket, agent = ask(), staff_actor(Role.SUPPORT)
    with unit_of_work():
        assert assign_ticket(by=agent, ticket=ticket).assigned_to_id == agent.id
        assert release_ticket(by=agent, ticket=ticket).assigned_to_id is None

    assert steps(ticket) == ["opened", "taken", "released"]
    assert entries(Event.TICKET_TAKEN) == entries(Event.TICKET_RELEASED) == 1


@pytest.mark.promise("PROTECT-3")
def test_a_ticket_is_given_to_those_who_do_such_work_now():
    ticket, agent, colleague = ask(), staff_actor(Role.SUPPORT), make_staff(Role.SUPPORT)
    with unit_of_work():
        assign_ticket(by=agent, ticket=ticket, agent=colleague.subject_id)

    assert fresh(ticket).assigned_to_id == colleague.subject_id
    assert entries(Event.TICKET_TAKEN, outcome="given", actor_id=agent.id) == 1
    packer = make_staff(Role.FULFILLMENT, "packer@example.org").subject_id
    for other in (packer, make_customer().subject_id, staff_actor(Role.SUPPORT).id):
        with pytest.raises(NotTheirWork), unit_of_work():
            assign_ticket(by=agent, ticket=ticket, agent=other, seen=colleague.subject_id)
    assert fresh(ticket).assigned_to_id == colleague.subject_id


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("act", [assign_ticket, release_ticket])
def test_nothing_is_taken_from_whoever_took_it_meanwhile(act):
    ticket, agent, other = ask(), staff_actor(Role.SUPPORT), staff_actor(Role.SUPPORT)
    with unit_of_work():
        assign_ticket(by=agent, ticket=ticket)

    with pytest.raises(TakenMeanwhile), unit_of_work():
        act(by=other, ticket=ticket)

    assert fresh(ticket).assigned_to_id == agent.id
    assert steps(ticket) == ["opened", "taken"]
    with unit_of_work():
        act(by=other, ticket=ticket, seen=agent.id)
    assert fresh(ticket).assigned_to_id == (other.id if act is assign_ticket else None)


def test_whoever_answers_a_ticket_of_nobodys_has_it_since_then():
    ticket = ask()
    answer(ticket)

    assert fresh(ticket).assigned_at == fresh(ticket).first_answered_at


@pytest.mark.promise("RIGHTS-9")
def test_a_ticket_is_not_given_to_whom_it_is_about():
    accused = make_staff(Role.PRIVACY_OFFICER)
    ticket = ask(kind=Kind.MISUSE)
    with unit_of_work():
        entry = record(Event.DATA_OPENED, by=accused.actor, subject=ticket.subject_id)
    TicketEntry.objects.create(ticket=ticket, entry_id=entry)

    with pytest.raises(AgentConcerned), unit_of_work():
        assign_ticket(by=staff_actor(Role.PRIVACY_OFFICER), ticket=ticket, agent=accused.subject_id)


@pytest.mark.promise("RIGHTS-9")
def test_support_hands_a_suspicion_over_and_the_day_stays():
    ticket = ask(kind=Kind.QUESTION)
    with unit_of_work():
        refer_ticket(by=staff_actor(Role.SUPPORT), ticket=ticket)

    now = fresh(ticket)
    assert (now.kind, now.assigned_to_id, now.due_at) == (Kind.MISUSE, None, ticket.due_at)
    assert entries(Event.TICKET_REFERRED, object_id=ticket.pk) == 1


def test_a_note_is_sealed_and_no_message():
    ticket, agent = ask(), staff_actor(Role.SUPPORT)
    token = uuid4()
    with unit_of_work():
        note = write_note(by=agent, ticket=ticket, body="Marker note", token=token)
        assert write_note(by=agent, ticket=ticket, body="Marker note", token=token) == note

    assert opened(note, agent) == "Marker note"
    assert PublicMessage.objects.count() == 1
    assert fresh(ticket).unanswered_since is not None
    assert mails(ticket) == ["tickets-received"]
    assert entries(Event.TICKET_NOTED) == InternalNote.objects.count() == 1


def test_a_customer_writes_no_note():
    ticket = ask()

    with pytest.raises(NotYourCase), unit_of_work():
        write_note(by=person_of(ticket), ticket=ticket, body="x", token=uuid4())


# Ending


@pytest.mark.promise("RIGHTS-9")
def test_resolve_ticket_names_outcome_and_answer():
    ticket = ask()

    done = resolve(ticket, outcome=Outcome.PARTLY_UPHELD)

    assert (done.state, done.outcome) == (State.RESOLVED, Outcome.PARTLY_UPHELD)
    assert done.reopen_until == done.resolved_at + REOPEN_WITHIN
    assert opened(PublicMessage.objects.latest("written_at"), person_of(ticket)) == "Marker end"
    assert mails(ticket) == ["tickets-received", "tickets-resolved"]
    assert entries(Event.TICKET_RESOLVED, object_id=ticket.pk, outcome="partly_upheld") == 1


@pytest.mark.parametrize("how", [{"answer": "  "}, {"outcome": Outcome.ANSWERED}, {"outcome": ""}])
def test_resolve_ticket_refuses_half_an_answer(how):
    ticket = ask(kind=Kind.COMPLAINT)

    with pytest.raises(AnswerMissing), unit_of_work():
        resolve_ticket(
            **{"by": staff_actor(Role.SUPPORT), "ticket": ticket, "outcome": Outcome.UPHELD, "answer": "x", "token": uuid4(), **how}
        )
    assert fresh(ticket).state == State.OPEN


def test_resolve_ticket_pressed_twice_ends_once():
    ticket, agent, token = ask(), staff_actor(Role.SUPPORT), uuid4()

    resolve(ticket, by=agent, token=token, seen=0)
    resolve(ticket, by=agent, token=token, seen=0)

    assert entries(Event.TICKET_RESOLVED) == 1


def test_the_customer_takes_it_back():
    ticket = ask()
    with unit_of_work():
        withdraw_ticket(by=person_of(ticket), ticket=ticket)

    assert (fresh(ticket).state, fresh(ticket).outcome) == (State.RESOLVED, Outcome.WITHDRAWN)
    assert entries(Event.TICKET_WITHDRAWN) == 1


def test_reopen_ticket_gives_it_a_month_of_its_own_and_is_counted():
    ticket = resolve(ask(at=timezone.now() - timedelta(days=28)))
    Ticket.objects.update(escalated_at=timezone.now())
    with unit_of_work():
        reopen_ticket(by=person_of(ticket), ticket=ticket, body="no", token=uuid4())

    now = fresh(ticket)
    assert (now.state, now.reopened, now.outcome, now.resolved_at, now.escalated_at) == (State.OPEN, 1, "", None, None)
    assert now.due_at > timezone.now() + timedelta(days=27)
    assert [event.code for event in now.events.all() if event.kind == "resolved"] == ["upheld"]
    assert entries(Event.TICKET_REOPENED) == 1
    assert resolve(now).reopened == 1
    assert mails(ticket).count("tickets-resolved") == 2


def test_reopen_ticket_refuses_what_is_open_over_or_closed():
    ticket = ask()
    with pytest.raises(TicketStillOpen), unit_of_work():
        reopen_ticket(by=person_of(ticket), ticket=ticket, body="no", token=uuid4())

    resolve(ticket, at=timezone.now() - timedelta(days=31))
    for _ in range(2):
        with pytest.raises(ReopeningOver), unit_of_work():
            reopen_ticket(by=person_of(ticket), ticket=ticket, body="no", token=uuid4())
        advance_timers(by=JOB)
    assert fresh(ticket).state == State.CLOSED


@pytest.mark.parametrize("state", ["open", "resolved"])
def test_close_ticket_refuses_what_can_still_be_reopened(state):
    ticket = ask() if state == "open" else resolve(ask())

    with pytest.raises(TicketEnded), unit_of_work():
        close_ticket(by=JOB, ticket=ticket)


def test_nothing_is_written_about_an_erased_person():
    ticket = ask()
    Subject.objects.filter(pk=ticket.subject_id).update(erased_at=timezone.now())

    for act in (lambda: answer(ticket), lambda: resolve(ticket), lambda: assign_ticket(by=staff_actor(Role.SUPPORT), ticket=ticket)):
        with pytest.raises(PersonErased), unit_of_work():
            act()


# The clock


def test_the_timer_reminds_once_then_escalates_once():
    agent = staff_actor(Role.SUPPORT)
    soon, late = ask(at=timezone.now() - timedelta(days=27)), ask(at=timezone.now() - timedelta(days=32))
    with unit_of_work():
        assign_ticket(by=agent, ticket=soon)

    first, second = advance_timers(by=JOB), advance_timers(by=JOB)

    assert (first["reminded"], first["escalated"], second["reminded"], second["escalated"]) == (1, 1, 0, 0)
    assert OutboundMail.objects.filter(template="tickets-due-soon", subject_id=agent.id, object_id=soon.pk).count() == 1
    assert fresh(late).escalated_at is not None
    assert entries(Event.TICKET_REMINDED) == entries(Event.TICKET_ESCALATED) == 1


def test_the_timer_does_not_wait_for_ever():
    start = timezone.now() - WAIT_FOR_CUSTOMER - timedelta(days=1)
    ticket = ask(kind=Kind.QUESTION, at=start)
    with unit_of_work():
        ask_customer(by=staff_actor(Role.SUPPORT), ticket=ticket, body="which?", token=uuid4(), at=start)

    assert advance_timers(by=JOB)["waited_out"] == 1
    assert fresh(ticket).state == State.OPEN
    assert not fresh(ticket).is_overdue
    assert entries(Event.TICKET_WAITED_OUT) == 1


def test_the_timer_closes_after_thirty_days():
    ticket = resolve(ask(), at=timezone.now() - REOPEN_WITHIN)

    assert advance_timers(by=JOB)["closed"] == 1
    assert fresh(ticket).closed_at is not None
    assert entries(Event.TICKET_CLOSED) == 1


def test_a_day_is_the_time_to_confirm():
    assert timedelta(days=1) == UNCONFIRMED_FOR


# One entry, or nothing


ACTS = {
    "answer": lambda by, ticket: post_message(by=by, ticket=ticket, body="x", token=uuid4()),
    "ask": lambda by, ticket: ask_customer(by=by, ticket=ticket, body="x", token=uuid4()),
    "take": lambda by, ticket: assign_ticket(by=by, ticket=ticket),
    "give": lambda by, ticket: assign_ticket(by=by, ticket=ticket, agent=make_staff().subject_id),
    "release": lambda by, ticket: release_ticket(by=by, ticket=ticket),
    "refer": lambda by, ticket: refer_ticket(by=by, ticket=ticket),
    "note": lambda by, ticket: write_note(by=by, ticket=ticket, body="x", token=uuid4()),
    "resolve": lambda by, ticket: resolve_ticket(by=by, ticket=ticket, outcome=Outcome.UPHELD, answer="x", token=uuid4()),
}


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("name", ACTS)
def test_nothing_changes_when_the_entry_cannot_be_written(name):
    ticket = ask()
    unwritable = Actor(Role.SUPPORT, id=Subject.objects.create(kind=Subject.Kind.STAFF).pk, name=UNWRITABLE.name)
    before = Ticket.objects.filter(pk=ticket.pk).values().get()

    with pytest.raises(NotRecordable), unit_of_work():
        ACTS[name](unwritable, ticket)

    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before
    assert PublicMessage.objects.count() == TicketEvent.objects.count() == 1
    assert not InternalNote.objects.exists()


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("name", ACTS)
def test_each_act_is_one_entry_about_the_ticket(name):
    ticket = ask()
    before = Entry.objects.filter(object_id=ticket.pk).count()

    with unit_of_work():
        ACTS[name](staff_actor(Role.SUPPORT), ticket)

    assert Entry.objects.filter(object_id=ticket.pk).count() == before + 1


def test_a_prepared_answer_is_entered():
    reply = CannedReply(title="Thanks", locale="en", body="Thank you.")
    with unit_of_work():
        save_canned_reply(by=staff_actor(Role.SUPPORT), reply=reply)

    assert entries(Event.CANNED_REPLY_CHANGED, object_id=reply.pk) == 1


# The ground


@pytest.mark.promise("COLLECT-3")
def test_an_open_question_is_the_ground_for_support_and_ends_when_it_is_closed():
    user, agent = make_customer(), staff_actor(Role.SUPPORT)

    def look(purpose, by):
        with unit_of_work(), open_access(by=by, purpose=purpose, subject=user.subject, reason="a look", case=any_case()) as grant:
            return grant.open(user.details.name)

    with pytest.raises(AccessDenied):
        look(Purpose.SUPPORT, agent)
    ticket = ask(user, kind=Kind.QUESTION)
    assert look(Purpose.SUPPORT, agent) == "Marker Name"
    with pytest.raises(AccessDenied):
        look(Purpose.RIGHTS, staff_actor(Role.PRIVACY_OFFICER))

    resolve(ticket, outcome=Outcome.ANSWERED, at=timezone.now() - REOPEN_WITHIN)
    advance_timers(by=JOB)
    with pytest.raises(AccessDenied):
        look(Purpose.SUPPORT, agent)
