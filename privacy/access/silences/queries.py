"""What a person does not read yet: the one place that says it, for pages, copies, programs and proofs (USE-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from audit.models import Entry
from privacy.access.models import Opening
from privacy.access.silences.models import Silence, SilencedEntry


def silences_in_force() -> QuerySet[Silence]:
    """Neither released nor over; the clock alone ends them."""
    return Silence.objects.filter(released_at=None, until__gt=timezone.now())


def heard(entries: QuerySet[Entry], subject_id: UUID) -> QuerySet[Entry]:
    """Without the entries that are withheld from this person now."""
    return entries.exclude(pk__in=_withheld_from(subject_id))


def heard_records(model: type[Any], records: QuerySet[Any], subject_id: UUID) -> QuerySet[Any]:
    """The person's records without the looks whose entries are withheld from them now."""
    return records.exclude(entries__overlap=ArraySubquery(_withheld_from(subject_id))) if model is Opening else records


def withheld_until(look: Opening) -> datetime | None:
    """Until when an entry of this look is withheld from its person, None when none is."""
    ends = silences_in_force().filter(subject=look.subject_id, entries__entry_id__in=look.entries)
    return ends.aggregate(last=Max("until"))["last"]


@dataclass(frozen=True)
class WithheldNow:
    """How many entries are withheld until one moment."""

    number: int
    until: datetime


def withheld_from(subject_id: UUID) -> list[WithheldNow]:
    """What a person's page says of the entries that are not on it, the soonest end first, in one query."""
    ends = silences_in_force().filter(subject_id=subject_id).values("until").annotate(number=Count("entries")).order_by("until")
    return [WithheldNow(end["number"], end["until"]) for end in ends]


def _withheld_from(subject_id: UUID) -> QuerySet[SilencedEntry, UUID]:
    return SilencedEntry.objects.filter(silence__in=silences_in_force().filter(subject_id=subject_id)).values_list("entry_id", flat=True)
