"""A value that is there once, without an index from which a customer could read everybody's values (PROTECT-2)."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint


class UniqueByHash(ExclusionConstraint):
    """No two rows have the same value in ``field``; look-ups of a whole value use its index.

    In place of ``unique=True`` where a table holds rows of many people: what sorts values compares them before the
    policy does, and EXPLAIN ANALYZE counts what the policy then took away, so that a search by halves reads every
    value. A hash has no order: it says whether a value exists to somebody who names the whole of it. A second row
    with the same value is an IntegrityError, as ever; of two that come at the same moment one may be ended as a deadlock
    (OperationalError), so callers lock something first.
    """

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name, expressions=[(field, "=")])
        self.field = field
        self.index_type = "hash"  # Django's own check knows the other two kinds alone

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, _args, _kwargs = super().deconstruct()
        return path, (), {"field": self.field, "name": self.name}
