"""Every field of every table is personal, or declared not to be, or the start is refused (COLLECT-1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import models

from privacy.declarations.third_party import OUR_APPS, THIRD_PARTY_TABLES

UNDECLARED = "privacy.E001"
UNKNOWN_TABLE = "privacy.E002"
STALE = "privacy.E003"
NO_LIFETIME = "privacy.E004"


@dataclass(frozen=True)
class Field:
    """One line of the data map."""

    model: type[models.Model]
    name: str
    personal: bool
    why: str


def our_models() -> list[type[models.Model]]:
    """All concrete models of this project, in a stable order."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in OUR_APPS and not model._meta.proxy and model._meta.managed
    ]


def is_sealed(field: models.Field[Any, Any]) -> bool:
    return hasattr(field, "category") and hasattr(field, "scope")


def personal_models() -> list[type[models.Model]]:
    """The models that hold rows about one person: those with a declared lifetime."""
    return [model for model in our_models() if hasattr(model, "lifetime")]


def data_map() -> Iterator[Field]:
    """Every field of ours with whether it is personal and why it may stand as it does."""
    for model in our_models():
        reasons = getattr(model, "not_personal", {})
        field: Any
        for field in model._meta.concrete_fields:
            personal = is_sealed(field)
            implied = "random id" if field.name in _implicit(model) else ""
            why = str(field.category.label) if personal else reasons.get(field.name, implied)
            yield Field(model, field.name, personal, why)


def _implicit(model: type[models.Model]) -> frozenset[str]:
    key = model._meta.pk.name if model._meta.pk else "id"
    return frozenset({key, "subject"}) if hasattr(model, "lifetime") else frozenset({key})


def undeclared_fields(model: type[models.Model]) -> list[str]:
    """Fields that are neither sealed nor named in ``not_personal``."""
    declared = set(getattr(model, "not_personal", {})) | _implicit(model)
    return [f.name for f in model._meta.concrete_fields if not is_sealed(f) and f.name not in declared]


def stale_declarations(model: type[models.Model]) -> list[str]:
    """Names in ``not_personal`` that are no clear field of the model."""
    clear = {f.name for f in model._meta.concrete_fields if not is_sealed(f)}
    return [name for name in getattr(model, "not_personal", {}) if name not in clear]


@checks.register(checks.Tags.models)
def check_declarations(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Refuses undeclared fields, unknown third-party tables, and personal records without an end."""
    messages: list[checks.CheckMessage] = []
    for model in our_models():
        for name in undeclared_fields(model):
            messages.append(
                _error(
                    model,
                    f"{name} is neither personal() nor in not_personal",
                    UNDECLARED,
                )
            )
        for name in stale_declarations(model):
            messages.append(_error(model, f"not_personal names {name}, which is no such field", STALE))
        if any(is_sealed(field) for field in model._meta.concrete_fields) and not hasattr(model, "lifetime"):
            messages.append(_error(model, "holds personal fields but declares no lifetime", NO_LIFETIME))
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label_lower
        if model._meta.app_label not in OUR_APPS and label not in THIRD_PARTY_TABLES:
            messages.append(
                _error(
                    model,
                    "is a third-party table that nobody has described",
                    UNKNOWN_TABLE,
                )
            )
    return messages


def _error(model: type[models.Model], text: str, id: str) -> checks.Error:
    return checks.Error(f"{model._meta.label}: {text}", id=id)
