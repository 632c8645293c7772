"""A declaration that an erasure or purge could not carry out is refused at the start (RIGHTS-3, RIGHTS-8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import models

from privacy.declarations.categories import Scope
from privacy.retention.walker import Model, is_kept, record_models
from privacy.vault.fields import sealed_fields

WRONG_KEY = "privacy.E010"
ERASURE_BLOCKED = "privacy.E011"


@checks.register(checks.Tags.models)
def check_lifetimes(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """What the law keeps has the records' key and stands alone; everything else has a category's key."""
    return [message for model in record_models() for message in (*_wrong_keys(model), *_blocked(model))]


def _wrong_keys(model: Model) -> Iterator[checks.CheckMessage]:
    for field in sealed_fields(model):
        if (field.scope == Scope.RECORDS) != is_kept(model):
            text = f"{field.path}: the scope RECORDS and a legal floor go together, one without the other is lost or kept"
            yield checks.Error(text, id=WRONG_KEY)


def _blocked(model: Model) -> Iterator[checks.CheckMessage]:
    """An erasable record under one that the law keeps could not be deleted."""
    for relation in model._meta.related_objects:
        child = relation.related_model
        if not is_kept(model) and child in record_models() and is_kept(child) and relation.on_delete is not models.SET_NULL:
            text = f"{child._meta.label}.{relation.field.name} keeps {model._meta.label} from being erased"
            yield checks.Error(text, id=ERASURE_BLOCKED)
