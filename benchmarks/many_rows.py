"""Loading and reading 10,000 rows of six sealed texts, against the same rows in clear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

from audit.events import Event
from benchmarks.models import TEXTS, PlainRow, SealedRow
from benchmarks.rounds import Row, times_as_long
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import give_consent
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.vault.key_cache import cache
from privacy.vault.models import Subject

ROWS = 10_000
MANY = 100
JOB = Actor.job("benchmarks")


def rows() -> Iterator[Row]:
    one, many = make_rows(people=1), make_rows(people=MANY)
    plain = "plain CharFields"
    yield times_as_long("10,000 rows of six, unread", plain, 2.2, lambda: list(one(SealedRow)), lambda: list(one(PlainRow)))
    yield times_as_long("10,000 rows of six, all read, one person", plain, 4, lambda: open_all(one), lambda: read_all(one))
    yield times_as_long(f"10,000 rows of six, all read, {MANY} people", plain, 4, lambda: open_all(many), lambda: read_all(many))
    yield times_as_long(f"10,000 rows of six, cold keys, {MANY} people", "warm keys", 1.5, lambda: open_cold(many), lambda: open_all(many))
    subject = new_customer()
    write = lambda model: store(model, [subject.pk], ROWS)  # noqa: E731
    yield times_as_long("10,000 rows of six, bulk_create", plain, 3, lambda: write(SealedRow), lambda: write(PlainRow), rounds=5)


def make_rows(people: int, rows: int = ROWS) -> Callable[[type], object]:
    """Stores both kinds of rows; returns what gives the queryset of these people's rows."""
    ids = [new_customer().pk for _ in range(people)]
    for model in (SealedRow, PlainRow):
        store(model, ids, rows)
    newest = max(ids)
    return lambda model: model.objects.filter(subject_id__gte=min(ids), subject_id__lte=newest)


def store(model: type, ids: list[UUID], rows: int) -> None:
    with unit_of_work(), open_access(by=JOB, purpose=Purpose.ORDER, writes=Event.DATA_COLLECTED):
        model.objects.bulk_create(model(subject_id=ids[n % len(ids)], **texts(n)) for n in range(rows))  # type: ignore[attr-defined]


def new_customer() -> Subject:
    with unit_of_work():
        subject = Subject.objects.create()
        give_consent(by=Actor(Role.CUSTOMER, id=subject.pk), subject=subject, purpose=Purpose.ORDER, locale="en")
    return subject


def texts(number: int) -> dict[str, str]:
    return {text: f"{text} of row {number}, as long as usual" for text in TEXTS}


def read_all(rows: Callable[[type], object]) -> int:
    return sum(len(getattr(row, text)) for row in rows(PlainRow) for text in TEXTS)


def open_cold(rows: Callable[[type], object]) -> int:
    cache.clear()
    return open_all(rows)


def open_all(rows: Callable[[type], object]) -> int:
    """Checks, log entries and keys included, as any job would do it."""
    with unit_of_work(), open_access(by=JOB, purpose=Purpose.ORDER) as grant:
        records = list(rows(SealedRow))
        grant.load(records)
        return sum(len(grant.open(getattr(record, text))) for record in records for text in TEXTS)
