"""One walk over all declarations serves page, copy, erasure and purge, so they cannot drift apart (RIGHTS-1, RIGHTS-3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import TruncDay, TruncYear

from privacy.access.silences.queries import heard_records
from privacy.declarations.categories import Category, Scope
from privacy.declarations.registry import personal_models
from privacy.retention.registry import under_no_hold
from privacy.vault.fields import SealedField, sealed_fields
from privacy.vault.records import PersonalRecord

Model = type[PersonalRecord]


def record_models() -> list[Model]:
    """Every model that holds rows about one person, in a stable order."""
    return [model for model in personal_models() if issubclass(model, PersonalRecord)]


def is_kept(model: Model) -> bool:
    """True when a legal floor makes an erasure leave these records until their lifetime ends."""
    return model.lifetime.floor is not None


def kept_models() -> list[Model]:
    return [model for model in record_models() if is_kept(model)]


def erasable_models() -> list[Model]:
    """The models that an erasure empties, those that point at others first."""
    return [model for model in in_deletion_order() if not is_kept(model)]


def in_deletion_order() -> list[Model]:
    """Models that point at others come before them, so that no row is deleted under one that needs it."""
    known = record_models()
    order: TopologicalSorter[Model] = TopologicalSorter({model: [] for model in known})
    for model in known:
        for relation in model._meta.related_objects:
            if relation.related_model in known and relation.related_model is not model:
                order.add(model, relation.related_model)
    return list(order.static_order())


def fields_in(model: Model, category: Category) -> list[SealedField]:
    """What is shown, copied and counted: all but credentials, with which whoever reads a copy could act as the person."""
    return [field for field in sealed_fields(model) if field.category == category and not field.is_credential]


def categories_of(model: Model) -> list[Category]:
    """The categories that this model's fields belong to, in published order."""
    present = {field.category for field in sealed_fields(model)}
    return [category for category in Category if category in present]


def models_in(category: Category) -> list[Model]:
    return [model for model in record_models() if fields_in(model, category)]


def records_of(subject_id: UUID, models: Sequence[Model] | None = None) -> Iterator[tuple[Model, models.QuerySet[Any]]]:
    """Each model with this person's records in it, oldest first.

    What ``lifetime.starts`` and ``describe()`` look at is joined, so that walking the records asks nothing more.
    """
    for model in record_models() if models is None else models:
        yield model, records_in(model, subject_id)


def records_in(model: Model, subject_id: UUID) -> models.QuerySet[Any]:
    return with_surroundings(model, _own_records(model, subject_id)).order_by("pk")


def _own_records(model: Model, subject_id: UUID) -> models.QuerySet[Any]:
    """As the person may know of them now."""
    return heard_records(model, model._base_manager.filter(subject_id=subject_id), subject_id)


def with_surroundings(model: Model, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Joins the rows that the clock starts at, and those named in the model's ``described_by``."""
    owner, _, _ = model.lifetime.starts.rpartition("__")
    paths = {owner, *getattr(model, "described_by", ())} - {""}
    return queryset.select_related(*sorted(paths)) if paths else queryset


@dataclass(frozen=True)
class Item:
    """One personal value: the field and the record that holds it."""

    record: PersonalRecord
    field: SealedField

    @property
    def value(self) -> Any:
        return getattr(self.record, self.field.name)


def items_of(record: PersonalRecord, category: Category) -> list[Item]:
    """The values of one category that this record holds; empty ones are left out."""
    items = [Item(record, field) for field in fields_in(type(record), category)]
    return [item for item in items if item.value is not None]


def items(subject_id: UUID, category: Category) -> Iterator[Item]:
    """Every value of one category that is held about this person, sealed, model by model."""
    for _, records in records_of(subject_id, models_in(category)):
        for record in records.iterator(chunk_size=500):
            yield from items_of(record, category)


@dataclass(frozen=True)
class Holding:
    """What one model holds about one person. ``waiting`` records have a clock that stands still."""

    model: Model
    records: int
    waiting: int
    values: dict[Category, int]
    first_start: datetime | None
    last_start: datetime | None

    @property
    def first_leaving(self) -> datetime | None:
        return self.model.lifetime.lasts.end(self.first_start) if self.first_start else None

    @property
    def last_leaving(self) -> datetime | None:
        return self.model.lifetime.lasts.end(self.last_start) if self.last_start else None


def holdings(subject_id: UUID, models: Sequence[Model] | None = None) -> list[Holding]:
    """What is held about this person, model by model, in one query a model; empty models are left out."""
    found = [_holding(model, subject_id) for model in (record_models() if models is None else models)]
    return [holding for holding in found if holding.records]


def _holding(model: Model, subject_id: UUID) -> Holding:
    starts = model.lifetime.starts
    numbers = _own_records(model, subject_id).aggregate(
        _records=Count("pk"),
        _waiting=Count("pk", filter=Q(**{f"{starts}__isnull": True})),
        _first=Min(starts),
        _last=Max(starts),
        **{f"_value_{field.name}": Count(field.name) for field in sealed_fields(model) if not field.is_credential},
    )
    values = {category: sum(numbers[f"_value_{field.name}"] for field in fields_in(model, category)) for category in categories_of(model)}
    return Holding(
        model,
        numbers["_records"],
        numbers["_waiting"],
        values,
        numbers["_first"],
        numbers["_last"],
    )


def counts(subject_id: UUID) -> dict[Category, int]:
    """How many values are held about this person in each category."""
    held = holdings(subject_id)
    return {category: sum(holding.values.get(category, 0) for holding in held) for category in Category}


def next_leaving(held: Sequence[Holding], category: Category) -> datetime | None:
    """When the next record of this category goes, or None while no clock runs."""
    moments = [holding.first_leaving for holding in held if holding.values.get(category)]
    return min((moment for moment in moments if moment), default=None)


@dataclass(frozen=True)
class Leaving:
    """``records`` of one model that go on the same day; ``on`` is None while their clock stands still.

    ``held`` of them a purge would leave, because something open still needs them or the person froze them.
    """

    model: Model
    records: int
    on: date | None
    held: int = 0


def leavings(subject_id: UUID, at_most: int | None = None) -> list[Leaving]:
    """What goes when, soonest first and what waits for something last, in one query a model.

    With ``at_most`` the database gives no more than that many days of each model, however many there are.
    """
    found = [leaving for model in record_models() for leaving in _leavings(model, subject_id, at_most)]
    return sorted(found, key=lambda leaving: (leaving.on is None, leaving.on or date.max))[:at_most]


def _leavings(model: Model, subject_id: UUID, at_most: int | None) -> Iterator[Leaving]:
    """Grouped by the day the clock started (the year, where it starts at the year's end): a group leaves on one day."""
    starts, truncate = F(model.lifetime.starts), TruncYear if model.lifetime.lasts.to_year_end else TruncDay
    own = _own_records(model, subject_id)
    groups = (
        own.values(_start=truncate(starts, tzinfo=UTC))
        .annotate(_records=Count("pk"), _free=Count("pk", filter=Q(pk__in=under_no_hold(model, own).values("pk"))))
        .order_by(F("_start").asc(nulls_last=True))
    )
    for group in groups[:at_most]:
        start, records = group["_start"], group["_records"]
        on = model.lifetime.lasts.end(start).date() if start else None
        yield Leaving(model, records, on, records - group["_free"])


def expired(model: Model, now: datetime) -> models.QuerySet[Any]:
    """The records of a model whose lifetime is over at ``now``, of all people; never one too early."""
    lifetime = model.lifetime
    return model._base_manager.filter(**{f"{lifetime.starts}__lt": lifetime.lasts.latest_start(now)})


def has_tokens(subject_id: UUID, scopes: Sequence[Scope]) -> bool:
    """Whether any value of this person that is sealed under one of these scopes is still stored."""
    for model in record_models():
        names = [field.name for field in sealed_fields(model) if field.scope in scopes]
        stored = Q(*[(f"{name}__isnull", False) for name in names], _connector=Q.OR)
        if names and model._base_manager.filter(stored, subject_id=subject_id).exists():
            return True
    return False
