"""Finding one of 300,000 people by a keyed digest of the address, against a unique column of plain addresses."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from benchmarks.models import PlainMailbox, SealedMailbox
from benchmarks.rounds import Row, times_as_long
from privacy.vault.blind_index import blind_index, normalize_email

PEOPLE, TRIES, BATCH = 300_000, 300, 10_000


def rows() -> Iterator[Row]:
    for start in range(0, PEOPLE, BATCH):
        numbers = range(start, start + BATCH)
        PlainMailbox.objects.bulk_create(PlainMailbox(email=address(number)) for number in numbers)
        SealedMailbox.objects.bulk_create(SealedMailbox(digest=digest(address(number))) for number in numbers)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {PlainMailbox._meta.db_table}, {SealedMailbox._meta.db_table}")
    wanted = [address(number) for number in range(0, PEOPLE, PEOPLE // TRIES)]

    def blind() -> None:
        for email in wanted:
            SealedMailbox.objects.get(digest=digest(email))

    def plain() -> None:
        for email in wanted:
            PlainMailbox.objects.get(email=normalize_email(email))

    yield times_as_long(f"finding one of {PEOPLE:,} by a blind index", "a unique plain column", 1.15, blind, plain)


def address(number: int) -> str:
    return f"person-{number}@example.org"


def digest(email: str) -> bytes:
    return blind_index("benchmark", normalize_email(email))
