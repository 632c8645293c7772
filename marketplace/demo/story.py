"""Three years of the demo's shop: the first day, then everything that happened since, in the order in which it began.

All rows come from the actions that the pages call, at the moments to which `clock` turns; `chapters` tells each part
once. What the story leaves open (an unpaid order, a parcel on its way) the running site takes over from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.core.management import call_command
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from marketplace.demo.accounts import STAFF, make_demo_accounts
from marketplace.demo.catalogue import add_demo_products
from marketplace.demo.chapters import DEMO, Chapter, Teller, tell, telling, told_chapters
from marketplace.demo.claims import claims
from marketplace.demo.conversations import conversations
from marketplace.demo.lives import changes_of_mind, is_awaited, joining
from marketplace.demo.news import announcements
from marketplace.demo.operator import name_demo_operator
from marketplace.demo.partners import register_demo_partners
from marketplace.demo.purchases import chapters_of, purchases
from marketplace.demo.watch import checks, looks, reviews
from privacy.policy.models import PolicyVersion

LENGTH = timedelta(days=3 * 365)
FIRST_DAY = "first-day"
SAY_EVERY = 25


class PolicyTooYoung(Exception):
    """The policy in force began after the story does: nobody could have agreed to anything before."""


def open_shop(say: Callable[[str], None]) -> None:
    """The first day, with the people whom a visitor may be; quick, and before the site starts. Safe to repeat.

    Raises PolicyTooYoung where the site has been set up without a past.
    """
    if _story_now() is None:
        if PolicyVersion.objects.exists():
            raise PolicyTooYoung
        now = timezone.now()
        with telling(now) as teller:
            tell(teller, Chapter(FIRST_DAY, now - LENGTH, _first_day))
    _tell_all([chapter for chapter in joining(_begun()) if is_awaited(chapter)], say)


def tell_story(say: Callable[[str], None], share: float = 1.0) -> None:
    """Everything that has not been told yet; begins where a killed loader stopped. ``share`` of the long histories."""
    open_shop(say)
    _tell_all(sorted(chapters(_begun(), share), key=lambda chapter: chapter.begins_at), say)


def chapters(now: datetime, share: float = 1.0) -> Iterator[Chapter]:
    """The whole story as told at ``now``, the first day excepted."""
    yield from joining(now)
    bought = purchases(now, share)
    yield from chapters_of(bought)
    yield from changes_of_mind(now)
    yield from claims(now)
    yield from conversations(now)
    yield from looks(now, bought)
    yield from reviews(now)
    yield from checks(now)
    yield from announcements(now)


def _first_day(teller: Teller) -> None:
    """The site's own set-up included, so that the policy has been in force since."""
    call_command("setup_site", verbosity=0)
    name_demo_operator(by=DEMO)
    register_demo_partners(by=DEMO)
    add_demo_products(by=DEMO)
    make_demo_accounts(STAFF)


def _tell_all(wanted: list[Chapter], say: Callable[[str], None]) -> None:
    told = told_chapters()
    left = [chapter for chapter in wanted if chapter.key not in told]
    with telling(_begun()) as teller:
        for number, chapter in enumerate(left, start=1):
            tell(teller, chapter)
            if number % SAY_EVERY == 0 or number == len(left):
                say(f"{number} of {len(left)} chapters told")


def _begun() -> datetime:
    now = _story_now()
    if now is None:
        raise LookupError(FIRST_DAY)
    return now


def _story_now() -> datetime | None:
    """When the story was first told; the same for a loader that goes on after another."""
    first = Entry.objects.filter(event=Event.STORY_TOLD, outcome=FIRST_DAY).first()
    return first.at + LENGTH if first else None
