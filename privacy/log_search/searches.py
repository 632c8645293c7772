"""What somebody looks for in the log, as filters, as an address, and as rows (USE-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, TextChoices
from django.utils import timezone

from audit.models import Entry
from privacy.rights.uses import REFUSALS
from privacy.staff_exports.people import case_ids_with_code

REFUSED = "refused"


@dataclass(frozen=True)
class LogSearch:
    """Every field narrows; what is empty does not. ``case`` is the code of an order, message or request, or an id.

    ``until`` is the last day. An ``outcome`` of REFUSED stands for everything that was refused.
    """

    person: UUID | None = None
    actor: UUID | None = None
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

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> LogSearch:
        """The search that has these ``parameters``."""
        read: Mapping[str, Any] = {"person": UUID, "actor": UUID, "since": date.fromisoformat, "until": date.fromisoformat}
        return cls(**{name: read.get(name, str)(text) for name, text in parameters.items()})


FILTERS = tuple(field.name for field in fields(LogSearch))


def found_by(search: LogSearch) -> QuerySet[Entry]:
    """The entries that it finds, of all people, newest first; what is withheld from a person too."""
    exact = {
        "subject_id": search.person,
        "actor_id": search.actor,
        "actor_role": search.role,
        "purpose": search.purpose,
        "event": search.event,
    }
    entries = Entry.objects.filter(**{name: value for name, value in exact.items() if value})
    if search.case:
        entries = entries.filter(case_id__in=case_ids_with_code(search.case))
    if search.outcome:
        entries = entries.filter(event__in=REFUSALS) if search.outcome == REFUSED else entries.filter(outcome=search.outcome)
    if search.since:
        entries = entries.filter(at__gte=_midnight(search.since))
    if search.until:
        entries = entries.filter(at__lt=_midnight(search.until + timedelta(days=1)))
    return entries.order_by("-at", "-id")


def label_of(kind: type[TextChoices], name: str) -> str:
    """The words for a name in the log; the name itself where this version has none."""
    return str(kind(name).label) if name in kind else name


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
