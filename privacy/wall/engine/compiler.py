"""Keeps PROTECT-2: plain ORM code reads a row without the columns that its login may not read."""

from __future__ import annotations

from typing import Any

from django.db.models.sql import compiler
from django.db.models.sql.compiler import SQLAggregateCompiler, SQLDeleteCompiler, SQLInsertCompiler, SQLUpdateCompiler

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]


class SQLCompiler(compiler.SQLCompiler):
    """A column that is asked for by name is not left out: the database answers with an error."""

    def get_default_columns(self, select_mask: Any, *args: Any, **options: Any) -> list[Any]:  # type: ignore[override]  # older stubs
        """What is left out is a deferred attribute of the instance."""
        columns: list[Any] = super().get_default_columns(select_mask, *args, **options)
        unreadable = self.connection.unreadable_fields()  # type: ignore[attr-defined]
        if not unreadable:
            return columns
        _, is_deferred = self.query.deferred_loading
        named = frozenset() if is_deferred else select_mask
        return [column for column in columns if column.target not in unreadable or column.target in named]
