"""Keeps USE-3: whoever changes a personal row around the application is in the log all the same, with the login they used.

A trigger on each table of records asks, at the end of the transaction, whether anybody recorded it; the function is the
guard's (`audit.keeping`). What should stand is compared with the catalog, as the rest of the wall is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import models

from privacy.declarations.categories import Category
from privacy.vault.fields import sealed_fields
from privacy.vault.records import PersonalRecord
from privacy.wall.foundation import quoted
from privacy.wall.shape import walled_models

STANDING = """
SELECT relname, tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = 'public'::regnamespace AND tgenabled = 'A' AND tgname = ANY (%s)
"""

TRIGGERS = {
    "attribute_change": (
        "CREATE CONSTRAINT TRIGGER attribute_change AFTER INSERT OR DELETE OR UPDATE ON public.{table} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION wall.attribute_change('{label}', '{categories}')"
    ),
    "refuse_truncate": (
        "CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON public.{table} FOR EACH STATEMENT EXECUTE FUNCTION wall.refuse_truncate()"
    ),
}


class Floor(NamedTuple):
    """One trigger; ``definition`` as PostgreSQL itself prints it."""

    table: str
    name: str
    definition: str


def wanted_floor() -> set[Floor]:
    return {floor for model in walled_models() if issubclass(model, PersonalRecord) for floor in _floor_of(model)}


def standing_floor(cursor: Any) -> set[Floor]:
    """The triggers that fire for everybody, also in a replication session; one that is switched off does not count."""
    cursor.execute(STANDING, [list(TRIGGERS)])
    return {Floor(*row) for row in cursor.fetchall()}


def floor_differences(cursor: Any) -> set[Floor]:
    """What is missing, changed, switched off or too much. Empty where all is well."""
    return wanted_floor() ^ standing_floor(cursor)


def install_floor(cursor: Any, existing: set[str]) -> None:
    """As the owner of the tables: put right what stands otherwise than declared; else do nothing."""
    differing = floor_differences(cursor)
    for table, name in sorted({(floor.table, floor.name) for floor in differing if floor.table in existing}):
        cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {quoted(table)}")
    for floor in sorted(wanted_floor() & differing):
        if floor.table in existing:
            cursor.execute(floor.definition)
            cursor.execute(f"ALTER TABLE {quoted(floor.table)} ENABLE ALWAYS TRIGGER {floor.name}")


def _floor_of(model: type[models.Model]) -> Iterator[Floor]:
    table, held = model._meta.db_table, {field.category for field in sealed_fields(model)}
    categories = ",".join(category.value for category in Category if category in held)
    for name, definition in TRIGGERS.items():
        yield Floor(table, name, definition.format(table=table, label=model._meta.label_lower, categories=categories))
