"""What the people of the story asked and complained about, and what became of it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
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
SOURCE = Path(__file__).with_name("talks.toml")
TOKENS = UUID("0192f3a0-0000-7000-8000-000000000001")
ANSWER = {
    "en": "Thank you for writing. We are looking into it and come back to you within two days.",
    "de": "Danke für deine Nachricht. Wir gehen der Sache nach und melden uns innerhalb von zwei Tagen.",
    "ar": "شكرًا لرسالتك. ننظر في الأمر ونعود إليك خلال يومين.",
}
ASK = {
    "en": "Could you tell us what the parcel looked like when it came?",
    "de": "Kannst du uns sagen, wie das Paket aussah, als es ankam?",
    "ar": "هل يمكنك أن تخبرنا كيف كان شكل الطرد عندما وصل؟",
}
REPLY = {
    "en": "One corner was torn, the rest looked fine.",
    "de": "Eine Ecke war eingerissen, sonst sah es gut aus.",
    "ar": "كانت إحدى الزوايا ممزقة، وكان الباقي سليمًا.",
}
DISAGREE = {
    "en": "I do not think that this answers my question.",
    "de": "Ich finde, das beantwortet meine Frage nicht.",
    "ar": "لا أرى أن هذا يجيب عن سؤالي.",
}


@dataclass(frozen=True)
class Talk:
    """One ticket; ``course`` is what happens to it, a word a step; ``hours`` how long ago it began."""

    key: str
    person: str
    hours: int
    kind: str
    body: str
    course: tuple[str, ...] = ()
    answer: str = ""
    outcome: str = Outcome.ANSWERED

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
            by=user.actor, subject=user.subject, kind=Kind(self.kind), body=self.body, token=token, about=about, locale=person.locale
        )

    @property
    def agent(self) -> Actor:
        return staff(Role.PRIVACY_OFFICER if self.kind in (Kind.PRIVACY, Kind.MISUSE) else Role.SUPPORT)


def conversations(now: datetime) -> Iterator[Chapter]:
    for talk in all_talks():
        yield Chapter(f"talk.{talk.key}", now - timedelta(hours=talk.hours), talk.tell)
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
    body = ANSWER[person.locale]
    return _passes(teller, hours=20) and bool(post_message(by=talk.agent, ticket=ticket, body=body, token=uuid4()))


def _ask(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    body = ASK[person.locale]
    return _passes(teller, hours=8) and bool(ask_customer(by=talk.agent, ticket=ticket, body=body, token=uuid4()))


def _reply(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    body = REPLY[person.locale]
    return _passes(teller, days=1) and bool(post_message(by=user_of(person).actor, ticket=ticket, body=body, token=uuid4()))


def _refer(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    return _passes(teller, hours=3) and bool(refer_ticket(by=staff(Role.SUPPORT), ticket=ticket))


def _resolve(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    return _passes(teller, days=2) and bool(
        resolve_ticket(by=talk.agent, ticket=ticket, outcome=Outcome(talk.outcome), answer=talk.answer, token=uuid4())
    )


def _disagree(talk: Talk, person: Person, ticket: Ticket, teller: Teller) -> bool:
    body = DISAGREE[person.locale]
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


@cache
def all_talks() -> list[Talk]:
    entries = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["talk"]
    return [Talk(**entry) for entry in entries]
