"""What the people of the story asked and complained about, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

from django.utils import timezone

from audit.record import Reference
from marketplace.demo.cast import staff, user_of
from marketplace.demo.chapters import Chapter, Teller
from marketplace.demo.people import PEOPLE, Person
from orders.lifecycle.models import Order
from privacy.complaints.actions import (
    ask_customer,
    assign_ticket,
    close_ticket,
    open_ticket,
    post_message,
    refer_ticket,
    reopen_ticket,
    resolve_ticket,
    withdraw_ticket,
    write_from_outside,
    write_note,
)
from privacy.complaints.clocks import REOPEN_WITHIN
from privacy.complaints.models import Ticket
from privacy.policy.roles import ANONYMOUS, Actor, Role

Kind, Outcome = Ticket.Kind, Ticket.Outcome
POSTMAN = Actor.job("tickets")
TOKENS = UUID("0192f3a0-0000-7000-8000-000000000001")


@dataclass(frozen=True)
class Talk:
    """One ticket; ``course`` is what happens to it, a word a step."""

    key: str
    person: str
    ago: timedelta
    kind: Kind
    body: str
    course: tuple[str, ...] = ()
    answer: str = ""
    outcome: Outcome = Outcome.ANSWERED

    def tell(self, teller: Teller) -> None:
        person = next(each for each in PEOPLE if each.key == self.person)
        ticket = self._open(person)
        for word in self.course:
            if not STEPS[word](self, person, ticket, teller):
                return
            ticket.refresh_from_db()

    def _open(self, person: Person) -> Ticket:
        user = user_of(person)
        order = Order.objects.filter(subject=user.subject).order_by("-placed_at").first()
        about = Reference.to(order) if order and self.kind in (Kind.QUESTION, Kind.COMPLAINT) else None
        token = uuid5(TOKENS, self.key)
        return open_ticket(
            by=user.actor, subject=user.subject, kind=self.kind, body=self.body, token=token, about=about, locale=person.locale
        )

    @property
    def agent(self) -> Actor:
        return staff(Role.PRIVACY_OFFICER if self.kind in (Kind.PRIVACY, Kind.MISUSE) else Role.SUPPORT)


def conversations(now: datetime) -> Iterator[Chapter]:
    for talk in TALKS:
        yield Chapter(f"talk.{talk.key}", now - talk.ago, talk.tell)
    yield Chapter("talk.outside", now - timedelta(hours=5), _from_outside)


def _from_outside(teller: Teller) -> None:
    """Somebody without an account whose mailbox is not proved yet."""
    body = "I get your parcels for a neighbor who has moved. Please change the address."
    write_from_outside(by=ANONYMOUS, email="passer-by@example.com", kind=Kind.PRIVACY, body=body, token=uuid4(), locale="en")


def _passes(teller: Teller, **delta: float) -> bool:
    """Let so much time pass; False, and none does, when that is yet to come."""
    if timezone.now() + timedelta(**delta) > teller.now:
        return False
    teller.later(**delta)
    return True


def _take(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    return _passes(teller, hours=5) and bool(assign_ticket(by=talk.agent, ticket=ticket))


def _note(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    return bool(write_note(by=talk.agent, ticket=ticket, body="Asked the warehouse; they look on Monday.", token=uuid4()))


def _answer(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    body = "Thank you for writing. We are looking into it and come back to you within two days."
    return _passes(teller, hours=20) and bool(post_message(by=talk.agent, ticket=ticket, body=body, token=uuid4()))


def _ask(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    body = "Could you tell us what the parcel looked like when it came?"
    return _passes(teller, hours=8) and bool(ask_customer(by=talk.agent, ticket=ticket, body=body, token=uuid4()))


def _reply(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    body = "One corner was torn, the rest looked fine."
    return _passes(teller, days=1) and bool(post_message(by=user_of(person).actor, ticket=ticket, body=body, token=uuid4()))


def _refer(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    return _passes(teller, hours=3) and bool(refer_ticket(by=staff(Role.SUPPORT), ticket=ticket))


def _resolve(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    return _passes(teller, days=2) and bool(
        resolve_ticket(by=talk.agent, ticket=ticket, outcome=talk.outcome, answer=talk.answer, token=uuid4())
    )


def _disagree(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    body = "I do not think that this answers my question."
    return _passes(teller, days=4) and bool(reopen_ticket(by=user_of(person).actor, ticket=ticket, body=body, token=uuid4()))


def _withdraw(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    return _passes(teller, days=1) and bool(withdraw_ticket(by=user_of(person).actor, ticket=ticket))


def _close(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    return _passes(teller, days=REOPEN_WITHIN.days + 1) and bool(close_ticket(by=POSTMAN, ticket=ticket))


STEPS: dict[str, Callable[[Talk, Person, Ticket, Teller], bool]] = {
    "take": _take,
    "note": _note,
    "answer": _answer,
    "ask": _ask,
    "reply": _reply,
    "refer": _refer,
    "resolve": _resolve,
    "disagree": _disagree,
    "withdraw": _withdraw,
    "close": _close,
}
DONE = ("take", "resolve", "close")
LONG = ("take", "answer", "note", "ask", "reply", "resolve", "close")

TALKS = (
    Talk("q-1", "ada", timedelta(days=620), Kind.QUESTION, "Can the mug go into the dishwasher?", DONE, "Yes, both shelves."),
    Talk("q-2", "oliver", timedelta(days=400), Kind.QUESTION, "When does the blanket come back?", DONE, "In the first week of March."),
    Talk("c-1", "camille", timedelta(days=330), Kind.COMPLAINT, "Un bol est arrivé cassé.", LONG, "Nous vous remboursons le bol.", Outcome.UPHELD),
    Talk("p-1", "lena", timedelta(days=260), Kind.PRIVACY, "Warum hat der Kundendienst meine Bestellung geöffnet?", DONE, "Weil Sie uns danach gefragt hatten; der Grund steht unter „Wer hat meine Daten benutzt“."),
    Talk("m-1", "jamal", timedelta(days=210), Kind.MISUSE, "Somebody called me about an order and I never gave my number.", ("take", "answer", "resolve", "close"), "We hold no telephone number of yours, and nobody here opened your order that week.", Outcome.NOT_UPHELD),
    Talk("q-3", "mei", timedelta(days=160), Kind.QUESTION, "包裹需要多长时间？", DONE, "To China it takes 8 to 12 days."),
    Talk("c-2", "jonas", timedelta(days=130), Kind.COMPLAINT, "Der Schirm kam ohne Griff.", LONG, "Sie bekommen einen neuen Griff.", Outcome.UPHELD),
    Talk("q-4", "suharto", timedelta(days=100), Kind.QUESTION, "May I order under one name only?", ("take", "withdraw")),
    Talk("p-2", "layla", timedelta(days=85), Kind.PRIVACY, "من اطّلع على عنواني الشهر الماضي؟", DONE, "موظفة التغليف فقط، لكتابة العنوان على الطرد.", Outcome.ANSWERED),
    Talk("c-3", "thiago", timedelta(days=70), Kind.COMPLAINT, "The customs fee was not announced.", (*LONG[:-1], "disagree", "resolve", "close"), "Half of the fee goes back to you.", Outcome.PARTLY_UPHELD),
    Talk("q-5", "ada", timedelta(days=52), Kind.QUESTION, "Is the wool from one flock?", DONE, "From three, all in the Rhön."),
    Talk("m-2", "hannah", timedelta(days=41), Kind.MISUSE, "I found an opening by fraud prevention that I do not understand.", ("take", "resolve"), "Two orders came within an hour; the reason is on your page now.", Outcome.PARTLY_UPHELD),
    Talk("late-1", "eleni", timedelta(days=37), Kind.COMPLAINT, "Το πακέτο έφτασε ανοιγμένο.", ("take", "answer")),
    Talk("late-2", "ananya", timedelta(days=34), Kind.PRIVACY, "Which carrier got my address?"),
    Talk("c-4", "giulia", timedelta(days=21), Kind.COMPLAINT, "La lampada fa rumore.", LONG, "We send another one.", Outcome.UPHELD),
    Talk("q-6", "ben", timedelta(days=16), Kind.QUESTION, "Can I pay on delivery?", ("take", "resolve"), "No: the carriers take no money."),
    Talk("c-5", "ada", timedelta(days=12), Kind.COMPLAINT, "One of the glasses has a crack.", ("take", "ask")),
    Talk("c-6", "nuria", timedelta(days=9), Kind.COMPLAINT, "It took three weeks.", ("take", "resolve", "disagree"), "It left us on the next day; the carrier was late.", Outcome.NOT_UPHELD),
    Talk("m-3", "emre", timedelta(days=6), Kind.QUESTION, "Why did somebody in finance look at my payment?", ("refer",)),
    Talk("q-7", "layla", timedelta(days=3), Kind.QUESTION, "هل يصل الطرد قبل العيد؟", ("take", "answer")),
    Talk("p-3", "ingrid", timedelta(days=2), Kind.PRIVACY, "How long do you keep my address?"),
    Talk("q-8", "noah", timedelta(days=1), Kind.QUESTION, "Gibt es den Stuhl auch in Buche?"),
    Talk("c-7", "jonas", timedelta(hours=4), Kind.COMPLAINT, "Die Rechnung nennt den falschen Betrag."),
)  # fmt: skip
