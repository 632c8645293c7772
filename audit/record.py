"""Keeps USE-3: no entry, no data. The one way into the log, inside the transaction of what it records."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Protocol, Self
from uuid import UUID

from django.db import connection, models

from audit.errors import NotRecordable
from audit.events import Event
from audit.identifiers import uuid7
from audit.security_log import announce

request_id: ContextVar[UUID | None] = ContextVar("audit_request_id", default=None)

# The moment that entries are about, where it is not the database's own. Only the owner of the log's table may write
# it: the demo tells its past as the owner, and in a process of the site the database refuses the statement.
told_at: ContextVar[datetime | None] = ContextVar("audit_told_at", default=None)

# The role of whoever changed something around the application.
UNKNOWN = "unknown"

# An address, a name with a blank, a phone number with its plus or a sentence do not fit in here.
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{0,80}")

# The columns that the runtime roles may write; the database fills in the rest.
COLUMNS = (
    "id",
    "event",
    "actor_role",
    "actor_id",
    "actor_name",
    "subject_id",
    "object_label",
    "object_id",
    "case_label",
    "case_id",
    "purpose",
    "categories",
    "fields",
    "request_id",
    "outcome",
)
_ROWS_PER_STATEMENT = 1000


class By(Protocol):
    """Who acts: a role, the subject id of the person behind it or None, the name of a job or ""."""

    @property
    def role(self) -> Any: ...
    @property
    def id(self) -> UUID | None: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Reference:
    """Points at a row of any model: the model's label in lower case, and the row's UUID."""

    label: str
    id: UUID

    @classmethod
    def to(cls, instance: models.Model) -> Self:
        return cls(instance._meta.label_lower, instance.pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """One entry for `record_many`; the fields mean what the arguments of `record` mean."""

    event: Event
    by: By
    subject: UUID | models.Model | None = None
    object: Reference | models.Model | None = None
    purpose: str = ""
    categories: Iterable[str] = ()
    fields: Iterable[str] = ()
    case: Reference | models.Model | None = None
    outcome: str = "ok"


def record(
    event: Event,
    *,
    by: By,
    subject: UUID | models.Model | None = None,
    object: Reference | models.Model | None = None,
    purpose: str = "",
    categories: Iterable[str] = (),
    fields: Iterable[str] = (),
    case: Reference | models.Model | None = None,
    outcome: str = "ok",
) -> UUID:
    """Write one entry in the caller's transaction and return its id.

    `subject` is the person concerned, `object` what was acted upon, `case` the order, parcel or
    ticket that was the reason. Raises NotRecordable outside a transaction, for an event that is
    not in the list, and for any value that is not a UUID or a short token of letters, digits,
    "_", "." and "-" (at most 80): nothing personal can be written here.
    """
    entry = NewEntry(
        event=event,
        by=by,
        subject=subject,
        object=object,
        purpose=purpose,
        categories=categories,
        fields=fields,
        case=case,
        outcome=outcome,
    )
    return record_many([entry])[0]


def record_many(entries: Iterable[NewEntry]) -> list[UUID]:
    """Write entries as `record` does, up to 1,000 a statement; return their ids in the same order."""
    if not connection.in_atomic_block:
        raise NotRecordable("an entry is written in the transaction of the change it records")
    contents = [_content(entry) for entry in entries]
    ids = [uuid7() for _ in contents]
    rows = [(str(id), *content) for id, content in zip(ids, contents, strict=True)]
    with connection.cursor() as cursor:
        for page in _pages(rows):
            cursor.execute(*_statement(page))
    announce(dict(zip(COLUMNS, row, strict=True)) for row in rows)
    return ids


def _statement(rows: Sequence[tuple[str | None, ...]]) -> tuple[str, list[Any]]:
    """Without the columns that stay empty in all rows: PostgreSQL reads each name and value, and the column's default is the same."""
    values = {name: column for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True) if any(column)}
    if at := told_at.get():
        values["at"] = (at,) * len(rows)
    places = ", ".join([f"({', '.join(['%s'] * len(values))})"] * len(rows))
    statement = f"INSERT INTO audit_entry ({', '.join(values)}) VALUES {places}"  # noqa: S608 - constants alone
    return statement, [value for row in zip(*values.values(), strict=True) for value in row]


def _pages(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        yield rows[start : start + _ROWS_PER_STATEMENT]


def _content(entry: NewEntry) -> tuple[str | None, ...]:
    """In the order of COLUMNS without the id, all as text: for ids and lists the driver would be slow, and every action writes one."""
    object_label, object_id = _reference(entry.object)
    case_label, case_id = _reference(entry.case)
    return (
        _event(entry.event),
        _required_token("role", entry.by.role),
        _uuid("actor", entry.by.id),
        _token("job", entry.by.name),
        _uuid("person", entry.subject),
        object_label,
        object_id,
        case_label,
        case_id,
        _token("purpose", entry.purpose),
        _tokens("category", entry.categories),
        _tokens("field", entry.fields),
        _uuid("request", request_id.get()),
        _required_token("outcome", entry.outcome),
    )


def _event(value: Any) -> str:
    try:
        return Event(value).value
    except ValueError:
        raise NotRecordable("the event is not in audit.events") from None


def _reference(value: Reference | models.Model | None) -> tuple[str, str | None]:
    if value is None:
        return "", None
    reference = value if isinstance(value, Reference) else Reference.to(value)
    return _required_token("label", reference.label), _uuid("reference", reference.id)


def _uuid(what: str, value: Any) -> str | None:
    if isinstance(value, models.Model):
        value = value.pk
    if value is None:
        return None
    if isinstance(value, UUID):
        return str(value)
    raise NotRecordable(f"the {what} is not a UUID")  # never the value: it may be personal


def _token(what: str, value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    try:
        return _checked(value)
    except (TypeError, ValueError):
        raise NotRecordable(f"the {what} is not a short token") from None


@lru_cache(maxsize=4096)
def _checked(text: str) -> str:
    """Remembers what fits alone: what was refused may be somebody's name."""
    if _TOKEN.fullmatch(text) is None:
        raise ValueError
    return str(text)


def _required_token(what: str, value: Any) -> str:
    token = _token(what, value)
    if not token:
        raise NotRecordable(f"the {what} is missing")
    return token


def _tokens(what: str, values: Iterable[Any]) -> str:
    """As PostgreSQL writes a list. Tokens need no escaping in one."""
    if isinstance(values, str):
        raise NotRecordable(f"several of {what} expected, one string given")
    return "{" + ",".join([f'"{_required_token(what, value)}"' for value in values]) + "}"
