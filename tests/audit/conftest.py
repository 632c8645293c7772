"""What the tests of the log share: actors, log keys kept in memory, writing, and tampering as a superuser."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from dateutil.relativedelta import relativedelta
from django.db import transaction

from audit.actions import integrate_entries
from audit.commitments import register_key_source
from audit.events import Event
from audit.identifiers import first_uuid7, uuid7
from audit.models import Verification
from audit.record import NewEntry, Reference, record_many


@dataclass(frozen=True)
class Someone:
    role: str = "support"
    id: UUID | None = None
    name: str = ""


class KeysInMemory:
    """Log keys as the vault keeps them: made when first needed, never made again once destroyed."""

    def __init__(self) -> None:
        self.of_subject: dict[UUID, tuple[UUID, bytes]] = {}
        self.destroyed: set[UUID] = set()
        self.erased_subjects: set[UUID] = set()

    def log_keys(self, subject_ids: set[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
        for subject in subject_ids - self.of_subject.keys() - self.erased_subjects:
            self.of_subject[subject] = (uuid7(), secrets.token_bytes(32))
        return {subject: self.of_subject[subject] for subject in subject_ids & self.of_subject.keys()}

    def known_keys(self, key_ids: set[UUID]) -> dict[UUID, bytes]:
        return {key_id: key for key_id, key in self.of_subject.values() if key_id in key_ids}

    def destroyed_keys(self, key_ids: set[UUID]) -> set[UUID]:
        return self.destroyed & key_ids

    def erase(self, subject: UUID) -> None:
        self.erased_subjects.add(subject)
        if key := self.of_subject.pop(subject, None):
            self.destroyed.add(key[0])


@pytest.fixture
def actor() -> Someone:
    return Someone(id=uuid7())


@pytest.fixture
def keys() -> Iterator[KeysInMemory]:
    source = KeysInMemory()
    before = register_key_source(source)
    yield source
    register_key_source(before)


LOG_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'audit\\_%' AND relkind IN ('r', 'p') ORDER BY relname
"""
APPEND_ONLY = """
SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE tgname = 'append_only' AND relname LIKE 'audit\\_%'
"""


def log_tables(cursor: Any) -> list[str]:
    """Every table of the log, its months among them."""
    cursor.execute(LOG_TABLES)
    return [table for (table,) in cursor.fetchall()]


@pytest.fixture
def empty_log(transactional_db: None, owner_connection: Callable[[str], Any]) -> None:
    """The log as on the first day: what setting up the site recorded is taken out."""
    take_everything_out(owner_connection("default"))


def take_everything_out(connection: Any) -> None:
    """Empty the tables of the log, as a superuser."""
    with connection, connection.cursor() as cursor:
        cursor.execute(APPEND_ONLY)
        append_only = [table for (table,) in cursor.fetchall()]
        for table in append_only:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        cursor.execute(f"TRUNCATE {', '.join(log_tables(cursor))}")
        for table in append_only:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")


@pytest.fixture
def worker(empty_log: None) -> None:
    """The log as on the first day, for the worker, who alone may add to its tree."""


@pytest.fixture
def write(keys: KeysInMemory, actor: Someone) -> Callable[..., list[UUID]]:
    """`write(3, subject)` records three entries about a person in one committed transaction."""

    def write_entries(count: int = 1, subject: UUID | None = None) -> list[UUID]:
        entry = NewEntry(
            event=Event.DATA_OPENED,
            by=actor,
            subject=subject,
            object=Reference("orders.order", uuid7()),
            purpose="dispatch",
            categories=["delivery", "purchase"],
            fields=["orders.orderaddress.line1"],
            case=Reference("orders.parcel", uuid7()),
        )
        with transaction.atomic():
            return record_many([entry] * count)

    return write_entries


@pytest.fixture
def tamper(owner_connection: Callable[[str], Any]) -> Callable[..., None]:
    """Run one statement as a superuser who has switched off the log's triggers."""

    def run(statement: str, *parameters: Any) -> None:
        connection = owner_connection("default")
        with connection, connection.cursor() as cursor:
            for table in log_tables(cursor):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            cursor.execute(statement, [str(value) if isinstance(value, UUID) else value for value in parameters])

    return run


@pytest.fixture
def log(write: Callable[..., list[UUID]]) -> list[UUID]:
    """Seven entries in three checkpoints: two of one person, three of nobody, two of another person."""
    people = uuid7(), uuid7()
    ids = write(2, people[0])
    integrate_entries()
    ids += write(3)
    integrate_entries()
    ids += write(2, people[1])
    integrate_entries()
    return ids


ROW = (
    "INSERT INTO audit_entry (id, event, actor_role, actor_name, object_label, case_label, purpose, categories, fields, outcome)"
    " VALUES (%s, 'privacy.data.opened', 'job', 'tests', '', '', '', '{}', '{}', 'ok')"
)


@pytest.fixture
def old_month(owner_connection: Callable[..., Any]) -> Callable[..., list[UUID]]:
    """`old_month(start, entries=3)`: a month of the log as if it had been written then; the ids of its entries."""

    def make(start: datetime, entries: int = 3) -> list[UUID]:
        end, name = start + relativedelta(months=1), f"audit_entry_{start:%Y_%m}"
        ids = [UUID(int=first_uuid7(start + timedelta(days=day + 1)).int | 7 << 76 | day + 1) for day in range(entries)]
        database = owner_connection()
        with database, database.cursor() as cursor:
            cursor.execute("SET ROLE market_guard")
            cursor.execute(f"CREATE TABLE {name} (LIKE audit_entry INCLUDING ALL)")
            cursor.execute(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} EXECUTE FUNCTION audit_refuse_change();"
                f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER append_only"
            )
            bounds = [str(first_uuid7(start)), str(first_uuid7(end))]
            cursor.execute(f"ALTER TABLE audit_entry ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", bounds)
            for day, id in enumerate(ids):
                cursor.execute(ROW.replace("(id,", "(at, id,").replace("(%s,", "(%s, %s,"), [start + timedelta(days=day + 1), str(id)])
        return ids

    return make


def assert_fault(
    verification: Verification,
    finding: str,
    *,
    entry: UUID | None = None,
    index: int | None = None,
    checkpoints: int | None = None,
) -> None:
    assert verification.result == Verification.Result.FAILED
    assert finding in verification.finding
    assert (verification.first_bad_entry, verification.first_bad_index) == (entry, index)
    if checkpoints is not None:
        assert verification.checkpoints == checkpoints
