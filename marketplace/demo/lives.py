"""What the people of the story did beside ordering: the day they joined, and how they changed their minds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from marketplace.demo.accounts import of_person, open_account
from marketplace.demo.cast import user_of
from marketplace.demo.chapters import Chapter, Teller
from marketplace.demo.people import LEAVING, PEOPLE, VISITED, Person
from privacy.consent.actions import give_consent, withdraw_consent
from privacy.declarations.purposes import Purpose


def joining(now: datetime) -> list[Chapter]:
    """Everybody's first day."""
    return [_join(person, now) for person in PEOPLE]


def changes_of_mind(now: datetime) -> Iterator[Chapter]:
    """Some allow the optional use later, some take it back, some do both."""
    chance = random.Random("changes of mind")  # noqa: S311 - a story, not a secret
    for person in PEOPLE:
        if person in LEAVING or chance.random() < 0.4:
            continue
        given = person.improvement
        for number in range(chance.choice((1, 1, 2))):
            at = now - timedelta(days=chance.uniform(1, min(person.joined - 5, 60 + 400 * number)))
            yield Chapter(f"mind.{person.key}-{number + 1}", at, _decision(person, give=not given))
            given = not given


def is_awaited(chapter: Chapter) -> bool:
    """Whether a visitor may want to sign in as the person of this chapter at once."""
    return chapter.key in {f"joins.{person.key}" for person in VISITED}


def _join(person: Person, now: datetime) -> Chapter:
    return Chapter(f"joins.{person.key}", now - timedelta(days=person.joined), lambda teller: open_account(of_person(person)))


def _decision(person: Person, *, give: bool) -> Callable[[Teller], object]:
    def tell(teller: Teller) -> None:
        user = user_of(person)
        decide = give_consent if give else withdraw_consent
        decide(by=user.actor, subject=user.subject, purpose=Purpose.IMPROVEMENT, locale=person.locale)

    return tell
