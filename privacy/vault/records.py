"""``PersonalRecord``: a row about one person, with a declared end (COLLECT-1, CHANGE-3)."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.base import ModelState
from django.db.models.sql import Query
from django.utils.translation import gettext

from privacy.declarations.lifetimes import Lifetime
from privacy.vault.errors import SealedValueMisused
from privacy.vault.fields import SealedField, sealed_fields
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.sealed import Sealed


class Loaded(dict[str, Any]):
    """The columns of a row as they were read, tokens included; prints as nothing of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<columns of a personal record>"

    __str__ = __repr__


@lru_cache
def _leaving_tokens(kind: type[Any]) -> type[Any]:
    """A compiler of queries that hands the tokens of whole records out as they were read; any others become ``Sealed``."""

    class Leaving(kind):
        def get_converters(self, expressions: Any) -> Any:
            converters = super().get_converters(expressions)
            for number in (self.klass_info or {"select_fields": ()})["select_fields"]:
                if isinstance(expressions[number].target, SealedField):
                    converters.pop(number)
            return converters

    return Leaving


class RecordQuery(Query):
    """Loads whole records without an object for each token."""

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        compiler = super().get_compiler(*args, **kwargs)
        if self.default_cols:
            compiler.__class__ = _leaving_tokens(type(compiler))  # type: ignore[arg-type]  # a class is hashable
        return compiler


class PersonalQuerySet(models.QuerySet):
    """Plain ORM; bulk writes seal exactly as ``save`` does, and ``update`` refuses what it cannot seal."""

    def __init__(self, model: Any = None, query: Any = None, using: Any = None, hints: Any = None) -> None:
        super().__init__(model, query or RecordQuery(model), using, hints)

    def update(self, **kwargs: Any) -> int:
        for name in kwargs:
            field = self.model._meta.get_field(name)
            if isinstance(field, SealedField):
                raise SealedValueMisused(f"{field.path} is sealed: save the record instead of update()")
            if name in ("subject", "subject_id", "id", "pk"):
                raise SealedValueMisused(f"{self.model._meta.label}: a row cannot change its {name}")
        return super().update(**kwargs)

    def bulk_create(self, objs: Any, *args: Any, update_conflicts: bool = False, **kwargs: Any) -> Any:
        """Seals as ``save`` does. An upsert is refused: its tokens would be bound to a row that is not made."""
        if update_conflicts:
            raise SealedValueMisused(f"{self.model._meta.label}: sealed values cannot be upserted")
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_update(self, objs: Any, fields: Any, batch_size: int | None = None) -> int:
        """Seals the drafts, then lets Django write the tokens past our own ``update``."""
        records, names = list(objs), set(fields)
        for field in sealed_fields(self.model):
            if field.name in names:
                for record in records:
                    field.pre_save(record, add=False)
        plain: models.QuerySet[Any] = models.QuerySet(self.model, query=self.query.chain(), using=self.db)
        return plain.bulk_update(records, fields, batch_size)


class PersonalRecord(models.Model):
    """A row about one person.

    A subclass declares ``lifetime`` and, in ``not_personal``, why each field that is not sealed may stand in
    clear. Its ``verbose_name`` and those of its sealed fields are what the person reads.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False, editable=False)

    objects: ClassVar[models.Manager[Any]] = models.Manager.from_queryset(PersonalQuerySet)()

    lifetime: ClassVar[Lifetime]
    not_personal: ClassVar[dict[str, str]]

    class Meta:
        abstract = True
        base_manager_name = "objects"  # no road past its ``update``

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        loaded = self.__dict__.get("_loaded", {})
        if loaded.get("id") not in (None, self.pk) or loaded.get("subject_id") not in (None, self.subject_id):
            raise SealedValueMisused(f"{self._meta.label}: a row cannot take another id or move to another person")
        super().save(*args, **kwargs)

    @property
    def title(self) -> str:
        """What kind of record this is, for a heading."""
        return str(self._meta.verbose_name)

    def describe(self) -> str:
        """What the record belongs to, in words without a personal value; shown on data page and in exports."""
        return gettext("your account")

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any) -> Self:
        """Fills the attributes as they come: ``Model.__init__`` would pass each of them through its setter."""
        instance = cls.__new__(cls)
        instance._state = ModelState()
        instance._state.adding, instance._state.db = False, db
        attributes = instance.__dict__
        attributes["_loaded"] = loaded = Loaded(zip(field_names, values, strict=True))
        attributes.update(loaded)
        for name, closed in _closed(cls):
            if attributes.get(name) is not None:
                attributes[name] = closed
        return instance


@cache
def _closed(model: type[PersonalRecord]) -> list[tuple[str, Sealed]]:
    return [(field.attname, field.closed) for field in sealed_fields(model)]
