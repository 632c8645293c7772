"""Rows go in plain statements, what hangs on them first, and never with a record that has its own lifetime (CHANGE-4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Exists, OuterRef

from privacy.vault.records import PersonalRecord


def delete_rows(model: type[models.Model], keys: Sequence[UUID]) -> int:
    """Delete these rows and what the models declare to go with them; returns how many rows of ``model`` went.

    Django's own ``delete()`` would load every row below into memory. A personal record below is never taken
    along: ``without_dependents`` keeps its parent until it has gone by its own lifetime.
    """
    if not keys:
        return 0
    for relation in model._meta.related_objects:
        _release(relation, keys)
    deleted: int = model._base_manager.filter(pk__in=keys)._raw_delete(DEFAULT_DB_ALIAS)
    return deleted


def _release(relation: Any, keys: Sequence[UUID]) -> None:
    children = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": keys})
    if relation.on_delete is models.SET_NULL:
        children.update(**{relation.field.name: None})
    elif relation.on_delete is models.CASCADE and not issubclass(relation.related_model, PersonalRecord):
        delete_rows(relation.related_model, list(children.values_list("pk", flat=True)))


def without_dependents(model: type[models.Model], queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Leave out rows that another personal record still needs."""
    for relation in model._meta.related_objects:
        child: Any = relation.related_model
        if issubclass(child, PersonalRecord) and relation.on_delete is not models.SET_NULL:
            dependents = child._base_manager.filter(**{relation.field.name: OuterRef("pk")})
            queryset = queryset.filter(~Exists(dependents))
    return queryset
