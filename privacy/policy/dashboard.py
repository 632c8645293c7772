"""What the staff's front page shows, as cards that each room adds for itself (PROTECT-3, RIGHTS-7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.policy.roles import Actor


class Section(TextChoices):
    """The parts of the front page, top to bottom."""

    NEEDS_YOU = "needs-you", _("Needs you now")
    HEALTH = "health", _("Health")
    TRENDS = "trends", _("Trends")


class State(TextChoices):
    GOOD = "good", _("well")
    WATCH = "watch", _("soon due")
    LATE = "late", _("needs action")


@dataclass(frozen=True)
class Card:
    """One thing to know: a number or a word, a line of explanation, and where to go. Nothing personal.

    ``chart`` is drawn by ``admin/chart.html``; what this room does not know how to draw, it only hands on.
    """

    section: Section
    title: Promise | str
    number: object
    text: Promise | str = ""
    state: State = State.GOOD
    address: str = ""
    rows: Sequence[tuple[object, object]] = ()
    chart: object = None

    @property
    def is_quiet(self) -> bool:
        """Watched, and nothing there: said in a line instead of a card."""
        return self.section == Section.NEEDS_YOU and self.state == State.GOOD and not self.number


MakeCard = Callable[[Actor], Card | None]
_makers: list[MakeCard] = []


def dashboard_card(make: MakeCard) -> MakeCard:
    """Decorator: ``make(actor)`` gives a card in a constant number of queries, or None for roles it is not for."""
    _makers.append(make)
    return make


def cards_for(actor: Actor) -> list[tuple[Section, list[Card]]]:
    """The cards of this role by section; what is late comes first, what is quiet last."""
    order = list(State)
    cards = [card for make in _makers if (card := make(actor)) is not None]
    cards.sort(key=lambda card: (card.is_quiet, -order.index(card.state)))
    return [(section, [card for card in cards if card.section == section]) for section in Section]
