"""Keeps USE-3: whoever changes a personal row around the application is in the log all the same, with the login they used.

A trigger on each table of records asks, at the end of the transaction, whether anybody recorded it; the function is the
guard's (`audit.keeping`).
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import models

from privacy.declarations.categories import Category
from privacy.vault.fields import sealed_fields
from privacy.vault.records import PersonalRecord
from privacy.wall.shape import walled_models
from privacy.wall.triggers import Trigger

TRIGGERS = {
    "attribute_change": (
        "CREATE CONSTRAINT TRIGGER attribute_change AFTER INSERT OR DELETE OR UPDATE ON public.{table} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION wall.attribute_change('{label}', '{categories}')"
    ),
    "refuse_truncate": (
        "CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON public.{table} FOR EACH STATEMENT EXECUTE FUNCTION wall.refuse_truncate()"
    ),
}


def floor_triggers() -> set[Trigger]:
    return {trigger for model in walled_models() if issubclass(model, PersonalRecord) for trigger in _floor_of(model)}


def _floor_of(model: type[models.Model]) -> Iterator[Trigger]:
    table, held = model._meta.db_table, {field.category for field in sealed_fields(model)}
    categories = ",".join(category.value for category in Category if category in held)
    for name, definition in TRIGGERS.items():
        yield Trigger(table, name, definition.format(table=table, label=model._meta.label_lower, categories=categories))
