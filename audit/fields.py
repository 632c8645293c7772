"""Keeps USE-3: the database itself says when, by whom and in which transaction an entry was written."""

from typing import Any

from django.db import models


class Xid8Field(models.Field):
    """A PostgreSQL 64-bit transaction id: an int in Python, never wrapping around within a cluster."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def to_python(self, value: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        value = super().get_prep_value(value)
        # No operator compares xid8 with an integer; an untyped literal takes the column's type.
        return value if value is None or hasattr(value, "resolve_expression") else str(int(value))


class ClockTimestamp(models.Func):
    """The moment of the statement, not of the transaction's beginning."""

    template = "clock_timestamp()"
    output_field = models.DateTimeField()


class CurrentTransaction(models.Func):
    """The id of the writing transaction."""

    template = "pg_current_xact_id()"
    output_field = Xid8Field()


class LoginRole(models.Func):
    """The role that logged in: SET ROLE and security definer functions do not change it."""

    template = "SESSION_USER"
    output_field = models.CharField()
