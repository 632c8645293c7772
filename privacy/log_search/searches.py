"""What somebody looks for in the log, as filters, as an address, and as rows (USE-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.events import Event
from audit.models import Entry
from audit.record import UNKNOWN
from privacy.policy.roles import Role
from privacy.staff_exports.people import case_ids_with_code

REFUSED = "refused"
REFUSALS = tuple(event for event in Event if event.endswith(f".{REFUSED}"))
MAY_BE_REFUSALS = (Event.ACCOUNT_LOCKED_OUT, Event.MAILBOX_CHANGE_CANCELED)
"""By their outcome. Events are named here because the log has an index by event, and none by outcome."""
ROLES = [*Role.choices, (UNKNOWN, _("Unknown: around the program"))]


@dataclass(frozen=True)
class LogSearch:
    """Every field narrows; what is empty does not. ``case`` is the code of an order, message or request, or an id.

    ``actor`` is the id of a person, or the name of a job. ``until`` is the last day. An ``outcome`` of REFUSED stands
    for everything that was refused.
    """

    person: UUID | None = None
    actor: str = ""
    role: str = ""
    purpose: str = ""
    case: str = ""
    event: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def used(self) -> list[str]:
        """The names of the filters that narrow, for the log: never their values."""
        return [name for name in FILTERS if getattr(self, name)]

    @property
    def parameters(self) -> dict[str, str]:
        """As an address or a row holds it: the filters that narrow, as text."""
        return {name: str(getattr(self, name)) for name in self.used}

    @property
    def is_found_at_once(self) -> bool:
        """By an index of the log. What has none is looked for entry by entry: it would cost every write more than searches are worth."""
        return not (self.role or self.purpose or self.job or (self.outcome and self.outcome != REFUSED))

    @property
    def reads_everything(self) -> bool:
        """Whether every entry has to be looked at: nothing that has an index narrows what is looked through."""
        narrows = self.person or self.actor_id or self.case or self.event or self.outcome == REFUSED or self.since
        return not self.is_found_at_once and not narrows

    @property
    def actor_id(self) -> UUID | None:
        try:
            return UUID(self.actor)
        except ValueError:
            return None

    @property
    def job(self) -> str:
        return "" if self.actor_id else self.actor

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> LogSearch:
        """The search that has these ``parameters``."""
        read: Mapping[str, Any] = {"person": UUID, "since": date.fromisoformat, "until": date.fromisoformat}
        return cls(**{name: read.get(name, str)(text) for name, text in parameters.items()})


FILTERS = tuple(field.name for field in fields(LogSearch))


def found_by(search: LogSearch) -> QuerySet[Entry]:
    """The entries that it finds, of all people, newest first; what is withheld from a person too."""
    return picked_from(looked_through(search), search)


def looked_through(search: LogSearch) -> QuerySet[Entry]:
    """What the filters with an index leave: all that it finds is among these."""
    exact = {"subject_id": search.person, "actor_id": search.actor_id, "event": search.event}
    entries = Entry.objects.filter(**{name: value for name, value in exact.items() if value})
    if search.case:
        entries = entries.filter(case_id__in=case_ids_with_code(search.case))
    if search.outcome == REFUSED:
        refused = Q(event__in=REFUSALS) | Q(outcome=REFUSED)
        entries = entries.filter(refused, event__in=(*REFUSALS, *MAY_BE_REFUSALS))
    if search.since:
        entries = entries.filter(at__gte=_midnight(search.since))
    if search.until:
        entries = entries.filter(at__lt=_midnight(search.until + timedelta(days=1)))
    return entries.order_by("-at", "-id")


def picked_from(entries: QuerySet[Entry], search: LogSearch) -> QuerySet[Entry]:
    """Those of them that the other filters leave."""
    outcome = "" if search.outcome == REFUSED else search.outcome
    exact = {"actor_role": search.role, "actor_name": search.job, "purpose": search.purpose, "outcome": outcome}
    return entries.filter(**{name: value for name, value in exact.items() if value})


def label_of(kind: type[TextChoices], name: str) -> str:
    """The words for a name in the log; the name itself where this version has none."""
    return str(kind(name).label) if name in kind else name


def role_label(name: str) -> str:
    """As ``label_of``, for whoever acted."""
    return str(dict(ROLES).get(name, name))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
