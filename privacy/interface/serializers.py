"""Strict in, sealed out: an unknown field is an error, and a sealed value prints as its mask (COLLECT-3, PROTECT-4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.settings import api_settings

from privacy.declarations import masks
from privacy.vault.errors import SealedValueMisused
from privacy.vault.fields import SealedField
from privacy.vault.sealed import Sealed


class StrictSerializer(serializers.Serializer[Any]):
    """Takes the fields it names and no other; the refusal lists those that it takes, never what was sent."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and set(data) - self._writable_names():
            raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [self._known_fields()]}, code="unknown_field")
        return super().to_internal_value(data)

    def _writable_names(self) -> set[str]:
        return {str(name) for name, field in self.fields.items() if not field.read_only}

    def _known_fields(self) -> str:
        return ", ".join(sorted(self._writable_names())) or _("none")


class QueryInvalid(serializers.ValidationError):
    """A parameter of the address line was refused, not a field of the body; ``named`` holds what is wrong with each."""

    @property
    def named(self) -> dict[str, Any]:
        return dict(self.detail)  # type: ignore[arg-type]


def checked_query(serializer: type[StrictSerializer], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those parameters that ``serializer`` names, checked by it; which others there may be is not decided here."""
    asked = serializer(data={name: parameters[name] for name in map(str, serializer().fields) if name in parameters})
    if not asked.is_valid():
        raise QueryInvalid(asked.errors)
    return asked.validated_data


class Nothing(StrictSerializer):
    """The call says all by itself; a field is one too many."""


@extend_schema_field(str)
class OpenedField(serializers.Field[Any, Any, Any, Any]):
    """A sealed value, opened under the grant that the view put into the context as ``grant``.

    None for an empty field, and for a value that is damaged or whose key is gone; the names of the latter are added to
    what the context holds as ``unreadable``.
    """

    def __init__(self, grant: str = "grant", **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)
        self.grant = grant

    def get_attribute(self, instance: Any) -> Any:
        value = super().get_attribute(instance)
        if value is not None and not isinstance(value, Sealed):
            raise SealedValueMisused(f"{self.field_name} is not sealed: OpenedField is for sealed values alone")
        return value

    def to_representation(self, value: Sealed) -> str | None:
        text: str | None = self.context[self.grant].read(value)
        if text is None:
            self.context.get("unreadable", set()).add(self.field_name)
        return text


class _RefusedField(serializers.ModelField):
    """What the framework's own serializers of models make of a sealed field."""

    def __init__(self, model_field: SealedField, **kwargs: Any) -> None:
        raise SealedValueMisused(f"{model_field.path} is sealed: write a serializer by hand and name it as OpenedField")


def refuse_sealed_model_fields() -> None:
    """The framework would print the stored token of a sealed field; from now on it raises, naming the field."""
    serializers.ModelSerializer.serializer_field_mapping[SealedField] = _RefusedField


class Text(serializers.CharField):
    """Text alone: a number or a yes is no text that happens to look like one, and a mask is none that was hidden."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        if text in masks.ALL:
            self.fail("invalid")
        return text


class Choice(serializers.ChoiceField):
    """One word of a closed list: of an enumeration, or of plain words."""

    def __init__(self, choices: type[models.TextChoices] | Iterable[Any], **kwargs: Any) -> None:
        words = choices.choices if isinstance(choices, type) else choices
        super().__init__(list(words), **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input="")
        word: str = super().to_internal_value(data)
        return word


class WholeNumber(serializers.IntegerField):
    """A whole number of at most nine digits; text that merely could be read as one is refused."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)  # JSON knows one kind of number: 2.0 is 2
        if not re.fullmatch(r"-?[0-9]{1,9}", str(data), re.ASCII):
            self.fail("invalid")
        number: int = super().to_internal_value(data)
        return number
