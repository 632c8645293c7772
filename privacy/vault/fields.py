"""``personal()`` declares a personal field; what it stores is always sealed (PROTECT-1, PROTECT-4, COLLECT-1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import BaseExpression, Case, Combinable, Value, When
from django.db.models.functions import Cast

from privacy.declarations import masks
from privacy.declarations.categories import Category, Scope
from privacy.vault.errors import SealedValueMisused
from privacy.vault.sealed import DUMP_PREFIX, Row, Sealed, make_row, seal

WriteCheck = Callable[[models.Model, "SealedField"], None]
_write_checks: list[WriteCheck] = []

UNBOUND = (None, None)


def register_write_check(check: WriteCheck) -> None:
    """An upper room's condition for every write of a personal value; it raises to refuse."""
    _write_checks.append(check)


def personal(
    field: models.CharField[Any, Any] | models.TextField[Any, Any],
    category: Category,
    mask: str = masks.text,
    scope: Scope | None = None,
    is_credential: bool = False,
) -> Any:
    """Declare ``field`` personal: of this category, sealed under ``scope`` (default: the category's own key).

    ``field`` gives label, help text, length and validation; the column holds a token. The attribute holds a
    ``Sealed`` that prints as ``mask``. Assign plain text to change it, inside an open grant. A credential lets whoever
    reads it act as the person: it stands on no page and in no copy, and goes with everything else.
    """
    return SealedField(plain=field, category=category, mask=mask, scope=scope or Scope(category.value), is_credential=is_credential)


class SealedAttribute:
    """The attribute on a record: hands out values bound to their row, takes plain text as a draft."""

    def __init__(self, field: SealedField) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        values = instance.__dict__
        name = self.field.attname
        if name not in values:
            instance.refresh_from_db(fields=[name])
        value = values[name]
        if value is self.field.closed:
            token = values["_loaded"][name]
            if type(token) is Sealed:  # read by a query that knows nothing of records
                token = token._token
            return Sealed(self.field, token, values.get("_row") or self._row_of(instance))
        if type(value) is Sealed and value._row is None and value._draft is None:
            value.bind(self._row_of(instance))
        return value

    def _row_of(self, instance: Any) -> Row:
        """The row that the record was read from, whatever has been assigned since."""
        loaded = instance.__dict__.get("_loaded", {})
        id, subject_id = loaded.get("id"), loaded.get("subject_id")
        row = make_row(id or instance.pk, subject_id or instance.subject_id)
        if id and subject_id:
            instance.__dict__["_row"] = row
        return row

    def __set__(self, instance: Any, value: Any) -> None:
        if value is not None and type(value) is not Sealed:
            value = self.field.as_sealed(value)
        elif value is not None and value._draft is None and instance._state.adding is False:
            self._refuse_foreign_token(instance, value)
        if value is None and instance.__dict__.get(self.field.attname) is not None:
            instance.__dict__.setdefault("_cleared", set()).add(self.field.attname)
        instance.__dict__[self.field.attname] = value

    def _refuse_foreign_token(self, instance: Any, value: Sealed) -> None:
        if value.row != (instance.pk, instance.subject_id):
            raise SealedValueMisused(f"{self.field.path}: a sealed value stays in its row; open it and set plain text")


@lru_cache
def _leaving_masks(kind: type[forms.Field]) -> type[forms.Field]:
    """A form's field that takes its mask as it is, and nothing else in which dots are left."""

    class Leaving(kind):  # type: ignore[misc, valid-type]
        mask: str

        def clean(self, value: Any, *more: Any) -> Any:
            if value == self.mask:
                return value
            if isinstance(value, str) and masks.is_left_in(value):
                raise ValidationError(masks.LEFT_IN, code="mask")
            return super().clean(value, *more)

    return Leaving


class SealedField(models.Field):
    """A bytea column of tokens with the label, length and form of the plain field it stands for."""

    description = "A sealed personal value"
    empty_values = [None, ""]

    def __init__(
        self,
        *args: Any,
        plain: models.Field[Any, Any] | None = None,
        category: Category = Category.ACCOUNT,
        mask: str = masks.text,
        scope: Scope = Scope.ACCOUNT,
        is_credential: bool = False,
        **kwargs: Any,
    ) -> None:
        self.plain = plain or models.TextField()
        self.category = category
        self.scope = scope
        self.is_credential = is_credential
        self.mask = mask
        if plain is not None:
            if plain.unique or plain.db_index:  # type: ignore[attr-defined]
                raise SealedValueMisused("a sealed column cannot be unique or indexed; use a blind index")
            kwargs |= {
                "verbose_name": plain.verbose_name,
                "help_text": plain.help_text,
                "blank": plain.blank,
                "null": plain.null,
            }
        kwargs["editable"] = True
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Only what the column is: label, category and mask are no business of a migration."""
        name, _path, _args, _kwargs = super().deconstruct()
        return (
            name,
            "privacy.vault.fields.SealedField",
            [],
            {"null": True} if self.null else {},
        )

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, SealedAttribute(self))
        self.plain.set_attributes_from_name(name)
        self.plain.model = cls
        self.path = f"{cls._meta.label_lower}.{name}"
        self.associated_prefix = f"{self.path}|".encode()
        self.closed = Sealed(self)

    def as_sealed(self, value: Any) -> Sealed:
        """Plain text as a draft; anything that is neither text nor a token of a fixture is refused."""
        if not isinstance(value, str):
            if isinstance(value, Combinable | BaseExpression):
                raise SealedValueMisused(f"{self.path} is sealed: expressions cannot be stored in it")
            raise SealedValueMisused(f"{self.path} takes text, not {type(value).__name__}")
        if value == self.mask:
            raise SealedValueMisused(f"{self.path}: its own mask is no value for it")
        return Sealed(self, draft=value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(self, value)

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        """Tokens are fetched as text: psycopg2 makes of each bytea value two objects that the garbage collector walks again
        and again, which costs more than everything else about loading a sealed row. Base64 is the shortest text."""
        if compiler.query.subquery:
            return sql, params
        return f"encode({sql}, 'base64')", params

    def to_python(self, value: Any) -> Any:
        """Sealed values pass unchanged; text of the form written by ``dumpdata`` becomes its token."""
        if isinstance(value, str) and value.startswith(DUMP_PREFIX):
            try:
                token = base64.b64decode(value[len(DUMP_PREFIX) :], validate=True)
            except binascii.Error as error:
                raise ValidationError(f"{self.path}: not a sealed value") from error
            return Sealed(self, token=token)
        return value

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """A stored value is valid as it is; a draft is validated as its plain field would be."""
        if not isinstance(value, Sealed):
            return self._clean_text(value, model_instance)
        return value if value._draft is None else Sealed(self, draft=self._clean_text(value._draft, model_instance))

    def _clean_text(self, text: Any, model_instance: models.Model | None) -> Any:
        if isinstance(text, str) and masks.is_left_in(text):
            raise ValidationError(masks.LEFT_IN)
        return self.plain.clean(text, model_instance)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        if value is None:
            return self._clear(model_instance)
        row_id, subject_id = model_instance.pk, model_instance.subject_id  # type: ignore[attr-defined]
        if subject_id is None:
            raise SealedValueMisused(f"{self.path}: a personal record needs its subject before it is saved")
        if value._draft is not None or add:
            self._check_write(model_instance)
        if value._draft is not None:
            return self._seal_draft(model_instance, value._draft, row_id, subject_id)
        if value.row != (row_id, subject_id) and (add or value.row != UNBOUND):
            raise SealedValueMisused(f"{self.path}: a sealed value cannot move to another row; set plain text")
        return value

    def _check_write(self, model_instance: models.Model) -> None:
        for check in _write_checks:
            check(model_instance, self)

    def _clear(self, model_instance: models.Model) -> None:
        """Emptying a field is a write like any other: it needs a grant and leaves an entry."""
        cleared = model_instance.__dict__.get("_cleared", set())
        if self.attname in cleared:
            self._check_write(model_instance)
            cleared.discard(self.attname)

    def _seal_draft(self, model_instance: models.Model, draft: str, row_id: UUID, subject_id: UUID) -> Sealed:
        attributes = model_instance.__dict__
        row = attributes.get("_target")  # of the field before this one
        if row is None or row[0] is not row_id or row[1] is not subject_id:
            row = attributes["_target"] = make_row(row_id, subject_id)
        value = attributes[self.attname] = Sealed(self, seal(self, draft, row), row)
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None:
            return None
        if type(value) is not Sealed or not value.is_stored:
            raise SealedValueMisused(f"{self.path} is sealed: assign to a record and save it; update() cannot seal")
        if value.field is not self and value.field.path != self.path:
            raise SealedValueMisused(f"{self.path}: a sealed value stays in its field; open it and set plain text")
        return connection.Database.Binary(value.token)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Of the expressions that an UPDATE could write only those of ``bulk_update`` are let through: a token for each row.

        Whatever is copied from a column would not open in its new place, and the old token would be gone.
        """
        if type(value) is Sealed or not isinstance(value, BaseExpression):
            return self.get_db_prep_value(value, connection)
        if not all(_is_token(result) for result in _results(value)):
            raise SealedValueMisused(f"{self.path} is sealed: expressions cannot be stored in it")
        return value

    def get_default(self) -> Any:
        return self.plain.get_default()

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise SealedValueMisused(f"{self.path} is sealed and cannot be searched; use a blind index")

    def get_transform(self, lookup_name: str) -> Any:
        raise SealedValueMisused(f"{self.path} is sealed and cannot be searched; use a blind index")

    def value_to_string(self, obj: models.Model) -> str:
        value = getattr(obj, self.attname)
        if value is None:
            return ""
        if not value.is_stored:
            raise SealedValueMisused(f"{self.path}: an unsaved value cannot be serialized")
        return value.dump()

    def value_from_object(self, obj: models.Model) -> str | None:
        """What a form starts from: the mask, so that a field that nobody touched has not changed."""
        return None if getattr(obj, self.attname) is None else self.mask

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        if data != self.mask:
            setattr(instance, self.name, data)

    def formfield(self, **kwargs: Any) -> Any:  # type: ignore[override]
        field: Any = self.plain.formfield(**kwargs)
        if field is not None:
            field.__class__ = _leaving_masks(type(field))  # type: ignore[arg-type]  # a class is hashable
            field.mask = self.mask
        return field

    def get_internal_type(self) -> str:
        return "BinaryField"


def _results(expression: Any) -> Iterator[Any]:
    """What an expression may come to, as ``bulk_update`` nests it."""
    match expression:
        case Cast() | Case():
            for part in expression.get_source_expressions():
                yield from _results(part)
        case When():
            yield from _results(expression.result)
        case _:
            yield expression


def _is_token(expression: Any) -> bool:
    return isinstance(expression, Value) and (expression.value is None or type(expression.value) is Sealed)


def sealed_fields(model: type[models.Model] | models.Model) -> Sequence[SealedField]:
    """The sealed fields of a model, in the order of their declaration."""
    options = model._meta
    cached = options.__dict__.get("_sealed_fields")
    if cached is None:
        cached = tuple(field for field in options.concrete_fields if isinstance(field, SealedField))
        options.__dict__["_sealed_fields"] = cached
    return cached
