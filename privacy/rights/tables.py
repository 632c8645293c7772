"""Personal records as tables with documented columns, one a model and category, for the copy (RIGHTS-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.access.gate import Grant
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.tables import kept_for
from privacy.retention.walker import Model, fields_in, models_in, records_in
from privacy.rights.sections import Column, Row, Section, Text
from privacy.vault.records import PersonalRecord

CHUNK = 500
KINDS: dict[type[models.Field[Any, Any]], str] = {
    models.DateTimeField: "datetime",
    models.DateField: "date",
    models.BooleanField: "boolean",
    models.IntegerField: "integer",
}


@dataclass(frozen=True)
class Table:
    """Named columns and their rows. ``personal`` columns are sealed in our database."""

    name: str
    title: Text
    about: Text
    columns: tuple[Column, ...]
    rows: Callable[[], Iterable[Row]]
    folder: str = ""
    personal: frozenset[str] = frozenset()
    purposes: tuple[str, ...] = ()
    kept: Text = ""


def section_table(section: Section, subject_id: UUID) -> Table:
    return Table(
        section.name,
        section.title,
        section.about,
        section.columns,
        lambda: section.rows(subject_id),
    )


def category_tables(category: Category, subject_id: UUID, grant: Grant) -> list[Table]:
    """The person's records of one category, a table a model; empty models are left out.

    Rows are opened under ``grant`` as they are read, a chunk at a time.
    """
    return [
        model_table(model, category, subject_id, grant)
        for model in models_in(category)
        if model._base_manager.filter(subject_id=subject_id).exists()
    ]


def model_table(model: Model, category: Category, subject_id: UUID, grant: Grant) -> Table:
    sealed = fields_in(model, category)
    clear = clear_fields(model)

    def rows() -> Iterator[Row]:
        for record in _in_chunks(model, subject_id, grant):
            yield {
                "record": str(record.pk),
                "belongs_to": str(record.describe()),
                **{field.name: _opened(grant, record, field.name) for field in sealed},
                **{field.name: getattr(record, field.attname) for field in clear},
                "keep_until": model.lifetime.leaves_at(record),
            }

    columns = (
        Column("record", _("Record"), _("Random number of the record.")),
        Column("belongs_to", _("Belongs to")),
        *(Column(field.name, field.verbose_name, field.help_text) for field in sealed),
        *(
            Column(
                field.name,
                field.verbose_name,
                model.not_personal[field.name],
                _kind(field),
            )
            for field in clear
        ),
        Column(
            "keep_until",
            _("Keep until"),
            _("Empty while the time has not begun to run."),
            "datetime",
        ),
    )
    return Table(
        name=model._meta.label_lower.replace(".", "_"),
        title=model._meta.verbose_name_plural or "",
        about="",
        columns=columns,
        rows=rows,
        folder=category.value,
        personal=frozenset(field.name for field in sealed),
        purposes=tuple(Purpose(purpose).value for purpose in model.lifetime.purposes),
        kept=kept_words(model),
    )


def kept_words(model: Model) -> Promise | str:
    """How long records of this model are kept, in words, with the law where one demands it."""
    lifetime = model.lifetime
    if lifetime.floor is not None:
        return f"{lifetime.floor.explanation} ({lifetime.floor.citation})"
    return lifetime.until or kept_for(lifetime)


def clear_fields(model: Model) -> list[models.Field[Any, Any]]:
    """The plain columns of a record that say something by themselves: no keys, no references."""
    return [
        field
        for field in model._meta.concrete_fields
        if field.name in model.not_personal and not field.is_relation and not _is_reference(field)
    ]


def _is_reference(field: models.Field[Any, Any]) -> bool:
    """A random id, or a list of them."""
    return isinstance(getattr(field, "base_field", field), models.UUIDField)


def _in_chunks(model: Model, subject_id: UUID, grant: Grant) -> Iterator[PersonalRecord]:
    records = records_in(model, subject_id).iterator(chunk_size=CHUNK)
    while chunk := list(islice(records, CHUNK)):
        grant.load(chunk)
        yield from chunk


def _opened(grant: Grant, record: PersonalRecord, name: str) -> str | None:
    value = getattr(record, name)
    return None if value is None else grant.show(value)


def _kind(field: models.Field[Any, Any]) -> str:
    return next((kind for type_, kind in KINDS.items() if isinstance(field, type_)), "string")
