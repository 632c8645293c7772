"""A write with its entry in the log, against the same write alone and against other logs; then eight writers at once.

All of them wait for the disk, as a site's writes do.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from hashlib import sha256

from django.db import connection, connections, transaction

from audit.events import Event
from audit.record import record
from benchmarks.models import ChainLink, PlainWare, Ware, WareWithHistory, WareWithLog
from benchmarks.rounds import Row, times_as_fast, times_as_long
from benchmarks.servers import commits_on_disk
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7

WRITES, ROUNDS = 200, 15
WRITERS, COMMITS, WORK = 8, 40, 0.005  # seconds
SOMEBODY = Actor(Role.SUPPORT, uuid7())
CHAIN = 0x434841494E


def rows() -> Iterator[Row]:
    with commits_on_disk():
        yield from rows_on_disk()


def rows_on_disk() -> Iterator[Row]:
    plain, audited = writing(ware(PlainWare)), writing(ware(PlainWare), enter)
    yield times_as_long("a write with its entry", "the write alone", 1.6, audited, plain, ROUNDS)
    for model, name in ((WareWithLog, "django-auditlog"), (WareWithHistory, "django-simple-history")):
        yield times_as_fast("a write with its entry", f"a write with {name}", 1, audited, writing(ware(model)), ROUNDS)
    alone = at_once(lambda ware: None)
    yield times_as_fast(f"{WRITERS} writers with their entries", f"{WRITERS} writers alone", 0.75, at_once(enter), alone, 5)
    yield times_as_fast(f"{WRITERS} writers with their entries", "a locked hash chain", 2, at_once(enter), at_once(chain), 3)


def ware(model: type[Ware]) -> Ware:
    return model.objects.create(title="Mug", description="A mug. " * 20, price=2000, on_hand=10)


def writing(ware: Ware, enter: Callable[[Ware], object] = lambda ware: None) -> Callable[[], None]:
    """Each write in a transaction of its own, as a request or a job would."""

    def write() -> None:
        for _ in range(WRITES):
            with transaction.atomic():
                ware.price += 1
                ware.save()
                enter(ware)

    return write


def enter(ware: Ware) -> None:
    record(Event.PRODUCT_CHANGED, by=SOMEBODY, subject=SOMEBODY.id, fields=["price"], categories=["purchase"])


def chain(ware: Ware) -> None:
    """Whoever adds to the chain waits for the transaction that added before, and keeps the lock until its own end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN])
    newest = ChainLink.objects.order_by("-id").first()
    text = f"{SOMEBODY.role} changed {ware.pk}"
    ChainLink.objects.create(text=text, hash=sha256((bytes(newest.hash) if newest else b"") + text.encode()).digest())


def at_once(enter: Callable[[Ware], object]) -> Callable[[], None]:
    """Processes that each change rows of their own; the entry is written before the work of the transaction, as an opening is."""

    def run() -> None:
        connections.close_all()
        wares = [ware(PlainWare) for _ in range(WRITERS)]
        connections.close_all()  # a child must not share its parent's
        writers = [multiprocessing.get_context("fork").Process(target=commit_often, args=(mine, enter)) for mine in wares]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

    return run


def commit_often(ware: Ware, enter: Callable[[Ware], object]) -> None:
    for _ in range(COMMITS):
        with transaction.atomic():
            ware.price += 1
            ware.save()
            enter(ware)
            time.sleep(WORK)
    connections.close_all()
