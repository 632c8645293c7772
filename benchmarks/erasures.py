"""Erasing a person by destroying the keys, whatever there is about them, against overwriting their rows.

Row by row is how tools overwrite that mask what they found; one statement for all rows of a table is the least that
overwriting can cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import transaction

from benchmarks.many_rows import new_customer, store
from benchmarks.models import TEXTS, PlainRow, SealedRow
from benchmarks.rounds import Row, times_as_fast, times_as_long
from privacy.declarations.categories import Scope
from privacy.vault.keys import destroy_keys
from privacy.vault.models import Subject

FEW, MANY, ROUNDS = 10, 10_000, 3
BLANK = dict.fromkeys(TEXTS, "")


def rows() -> Iterator[Row]:
    few, many = (destroying([person_with(number, SealedRow) for _ in range(ROUNDS + 1)]) for number in (FEW, MANY))
    yield times_as_long(f"erasing a person with {MANY:,} rows by key", f"one with {FEW} rows", 1.5, many, few, ROUNDS)
    peer = person_with(MANY, PlainRow)
    overwrite = lambda: PlainRow.objects.filter(subject=peer).update(**BLANK)  # noqa: E731
    one_by_one = overwriting_one_by_one(peer)
    for name, work, goal in (("overwriting row by row", one_by_one, 50), ("one UPDATE of all rows", overwrite, 10)):
        some = [person_with(MANY, SealedRow) for _ in range(ROUNDS + 1)]
        yield times_as_fast(f"erasing a person with {MANY:,} rows by key", name, goal, destroying(some), work, ROUNDS)


def overwriting_one_by_one(subject: Subject) -> Callable[[], None]:
    rows = list(PlainRow.objects.filter(subject=subject).values_list("pk", flat=True))

    def overwrite() -> None:
        with transaction.atomic():
            for row in rows:
                PlainRow.objects.filter(pk=row).update(**BLANK)

    return overwrite


def person_with(rows: int, model: type) -> Subject:
    subject = new_customer()
    store(model, [subject.pk], rows)
    return subject


def destroying(people: list[Subject]) -> Callable[[], object]:
    """Each call ends another person: keys can be destroyed only once."""
    return lambda: destroy_keys(people.pop().pk, tuple(Scope))
