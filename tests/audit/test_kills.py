"""Real processes write and integrate, and are killed: no entry is lost, none is bound twice, and no checkpoint contradicts another."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction

from audit.actions import integrate_entries, verify_log
from audit.checkpoints import newest_outside
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Leaf, Verification
from marketplace.supervisor import die_with_parent
from tests.audit.entries import entry_about, record_many
from tests.databases import slot_environment
from tests.settings import ROOT

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]

POINTS = ("statement", "copy", "commit", "file")
WRITERS, CHECKPOINTS, LIMIT = 8, 5, 60.0


class Processes:
    """Starts processes by name in one that forks them, and knows their ids."""

    def __init__(self, parent: subprocess.Popen[str]) -> None:
        self._parent = parent

    def ask(self, command: str) -> int:
        self._parent.stdin.write(command + "\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.ask(f"wait {pid}")


@pytest.fixture
def processes() -> Iterator[Processes]:
    with forking(slot_environment(MARKETPLACE_DB_ROLE="worker")) as started:
        yield started


@contextmanager
def forking(variables: dict[str, str]) -> Iterator[Processes]:
    """The processes of `tests.audit.processes` with these variables; none outlives the block."""
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.audit.processes"],
        env=variables,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    try:
        assert parent.stdout.readline() == "ready\n"
        yield Processes(parent)
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.communicate()


def write(number: int) -> list[UUID]:
    with transaction.atomic():
        return record_many([entry_about(uuid7()), *[entry_about(None)] * (number - 1)])


def assert_whole(written: set[UUID]) -> None:
    """After what is left was integrated: one leaf for each entry, one chain of checkpoints, the newest of them outside."""
    integrate_entries()
    leaves = list(Leaf.objects.order_by("index").values_list("index", "entry_id"))
    entries = Entry.objects.order_by("transaction", "id").values_list("id", flat=True)
    assert [index for index, _ in leaves] == list(range(len(leaves)))
    assert [entry_id for _, entry_id in leaves] == list(entries)
    assert written <= {entry_id for _, entry_id in leaves}
    assert newest_outside().size == Checkpoint.objects.latest("size").size == len(leaves)
    verification = verify_log()
    assert (verification.result, verification.finding) == (Verification.Result.OK, "")
    assert verification.checkpoints == Checkpoint.objects.count()


@pytest.mark.parametrize("point", POINTS)
def test_integration_killed_at_any_point_leaves_nothing_half(processes, point):
    written = set()
    for number in count(1):
        written |= {*write(150), *write(150)}

        pid = processes.ask(f"integrate {point} {number}")
        status = processes.ask(f"wait {pid}")

        newest = Checkpoint.objects.order_by("size").last()
        assert Leaf.objects.count() == (newest.size if newest else 0)
        if status == 0:  # it ended before it came so far
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert number > 1
    assert_whole(written)


def test_writers_and_integrations_killed_at_random_lose_no_entry(processes):
    """Eight writers whose transactions overtake one another, two integrations at a time; whoever is killed is replaced."""
    chance, seeds = random.Random(), count()
    begin: list[Callable[[], int]] = [lambda: processes.ask(f"write {next(seeds)}")] * WRITERS
    begin += [lambda: processes.ask("integrate never 0")] * 2
    running = [start() for start in begin]
    end = time.monotonic() + LIMIT

    while Checkpoint.objects.count() < CHECKPOINTS and time.monotonic() < end:
        time.sleep(chance.uniform(0, 0.2))
        place = chance.randrange(len(begin))
        processes.kill(running[place])
        running[place] = begin[place]()
    for pid in running:
        processes.kill(pid)

    committed = {UUID(line) for path in Path(settings.STATE).glob("committed-*") for line in path.read_text().split()}
    assert len(committed) > 100
    assert Checkpoint.objects.count() >= CHECKPOINTS
    assert_whole(committed)
