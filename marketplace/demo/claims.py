"""Rights that the people of the story exercised: one request of each kind and in each state, over two years."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.utils import timezone, translation

from marketplace.accounts.models import User
from marketplace.demo.cast import staff, user_of
from marketplace.demo.chapters import Chapter, Teller
from marketplace.demo.people import PEOPLE, Person
from orders.lifecycle.models import OrderContact
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.rights.actions import begin_erasure, cancel_erasure, correct_record, request_copy, request_erasure
from privacy.rights.copies import download_copy, expire_copies
from privacy.rights.corrections import propose_correction
from privacy.rights.decisions import decide_request
from privacy.rights.models import ExportJob, Request
from privacy.rights.restrictions import freeze_data, lift_restriction, object_to_use
from privacy.sharing.actions import confirm_follow_up
from privacy.sharing.models import FollowUp

ERASER = Actor.job("erasure")
Telling = Callable[[Teller, User], object]


def claims(now: datetime) -> Iterator[Chapter]:
    told: tuple[tuple[str, str, timedelta, Telling], ...] = (
        ("copy-1", "ada", timedelta(days=410), _copy_fetched),
        ("copy-2", "camille", timedelta(days=180), _copy_fetched),
        ("copy-3", "lena", timedelta(days=95), _copy_fetched),
        ("copy-4", "jamal", timedelta(days=40), _copy_not_fetched),
        ("copy-5", "jonas", timedelta(days=6, hours=3), _copy_fetched),
        ("copy-6", "ada", timedelta(days=2), _copy_waiting),
        ("copy-failed", "haruto", timedelta(days=12), _copy_failed),
        ("name-1", "zofia", timedelta(days=300), _rename("Zofia Wójcik")),
        ("name-2", "chloe", timedelta(days=75), _rename("Chloé Dubois-Martin")),
        ("name-3", "layla", timedelta(days=15), _rename("ليلى حدّاد منصور")),
        ("correction-granted", "oliver", timedelta(days=41), _correction(is_granted=True)),
        ("correction-refused", "camille", timedelta(days=10), _correction(is_granted=False)),
        ("correction-asked", "jonas", timedelta(days=4), _correction(is_granted=None)),
        ("freeze-lifted", "nuria", timedelta(days=120), _freeze(lifted_after=timedelta(days=20))),
        ("freeze", "bram", timedelta(days=18), _freeze(lifted_after=None)),
        ("objection-granted", "eleni", timedelta(days=80), _objection(is_granted=True)),
        ("objection-asked", "ben", timedelta(days=27), _objection(is_granted=None)),
        ("erasure-thought-again", "grace", timedelta(days=64), _erasure_thought_again),
        ("erasure-1", "rosa", timedelta(days=230), _erasure),
        ("erasure-2", "victor", timedelta(days=24), _erasure),
        ("erasure-overdue", "oliver", timedelta(days=38), _erasure_held_up),
    )
    people = {person.key: person for person in PEOPLE}
    for key, who, ago, telling in told:
        yield Chapter(f"claim.{key}", now - ago, _in_words_of(people[who], telling))
    for number, days in enumerate((290, 130, 70, 30, 3), start=1):
        yield Chapter(f"claim.confirmations-{number}", now - timedelta(days=days), _partners_confirm)


def _in_words_of(person: Person, telling: Telling) -> Callable[[Teller], object]:
    def tell(teller: Teller) -> None:
        with translation.override(person.locale):
            telling(teller, user_of(person))

    return tell


def _copy(teller: Teller, user: User) -> Request:
    request = request_copy(by=user.actor, subject=user.subject)
    teller.later(minutes=2)
    return request


def _copy_waiting(teller: Teller, user: User) -> None:
    _copy(teller, user)


def _copy_fetched(teller: Teller, user: User) -> None:
    request = _copy(teller, user)
    teller.later(hours=5)
    chunks, _size = download_copy(by=user.actor, request=request)
    for _chunk in chunks:
        pass
    _expire(teller)


def _copy_not_fetched(teller: Teller, user: User) -> None:
    _copy(teller, user)
    _expire(teller)


def _expire(teller: Teller) -> None:
    """The file goes after a week, if that has passed."""
    if timezone.now() + timedelta(days=8) < teller.now:
        teller.later(days=8)
        expire_copies()


def _copy_failed(teller: Teller, user: User) -> None:
    """Every worker that took it was lost."""
    request_copy(by=user.actor, subject=user.subject)
    ExportJob.objects.filter(request__subject=user.subject, attempts=0).update(attempts=ExportJob.MAX_ATTEMPTS)
    teller.later(hours=1)


def _rename(name: str) -> Telling:
    def tell(teller: Teller, user: User) -> None:
        correct_record(by=user.actor, record=user.details, changes={"name": name})

    return tell


def _correction(*, is_granted: bool | None) -> Telling:
    """Of the name on an order, which a person decides."""

    def tell(teller: Teller, user: User) -> None:
        contact = OrderContact.objects.filter(subject=user.subject).latest("id")
        request = propose_correction(
            by=user.actor, record=contact, field="name", value="Somebody Else", reason="I ordered it for my sister."
        )
        if is_granted is not None:
            teller.later(days=3)
            answer = "We have changed it." if is_granted else "The order names who ordered, so the name stays."
            decide_request(by=staff(Role.PRIVACY_OFFICER), request=request, is_granted=is_granted, answer=answer)

    return tell


def _freeze(*, lifted_after: timedelta | None) -> Telling:
    def tell(teller: Teller, user: User) -> None:
        request = freeze_data(by=user.actor, subject=user.subject, categories=[Category.INTERACTION])
        if lifted_after:
            teller.at(timezone.now() + lifted_after)
            lift_restriction(by=user.actor, request=request)

    return tell


def _objection(*, is_granted: bool | None) -> Telling:
    def tell(teller: Teller, user: User) -> None:
        reason = "Please do not rate my orders."
        request = object_to_use(by=user.actor, subject=user.subject, purpose=Purpose.FRAUD, reason=reason)
        if is_granted is not None:
            teller.later(days=6)
            answer = "We no longer do."
            decide_request(by=staff(Role.PRIVACY_OFFICER), request=request, is_granted=is_granted, answer=answer)

    return tell


def _erasure_thought_again(teller: Teller, user: User) -> None:
    request = request_erasure(by=user.actor, subject=user.subject)
    teller.later(minutes=1)
    cancel_erasure(by=user.actor, request=request)


def _erasure(teller: Teller, user: User) -> None:
    request = request_erasure(by=user.actor, subject=user.subject)
    teller.later(days=14)
    begin_erasure(by=ERASER, request=request)


def _erasure_held_up(teller: Teller, user: User) -> None:
    """An order that never arrived keeps the data longer than the law allows."""
    request_erasure(by=user.actor, subject=user.subject)


def _partners_confirm(teller: Teller) -> None:
    for follow_up in FollowUp.objects.filter(confirmed_at=None, asked_at__lt=timezone.now() - timedelta(days=1)):
        confirm_follow_up(by=staff(Role.PRIVACY_OFFICER), follow_up=follow_up)
