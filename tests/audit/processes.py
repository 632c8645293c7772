"""Run as a process: forks integrations and writers that are killed, each with the program loaded already.

Reads one command a line and answers each with one line: `integrate POINT NUMBER`, `crash SERVER` and `write SEED` with
the id of the process, `wait ID` with its exit status.
"""

import os
import random
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django

BATCH = 500


def main() -> None:
    django.setup()
    from audit import actions, commitments  # noqa: F401 - loaded once, before the forks

    answer("ready")
    for line in sys.stdin:
        command, *words = line.split()
        if command == "wait":
            answer(os.waitpid(int(words[0]), 0)[1])
        else:
            answer(forked({"integrate": integrate, "crash": crash, "write": write}[command], *words))


def answer(words: object) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def forked(work: Callable[..., None], *words: str) -> int:
    if pid := os.fork():
        return pid
    os.close(0)
    os.dup2(2, 1)
    try:
        work(*words)
    finally:
        os._exit(sys.exc_info()[0] is not None)


def integrate(point: str, number: str) -> None:
    """Integrate; at the end of the NUMBERth statement, part of the copy, commit or write to the disk, die."""
    from django.db.backends.signals import connection_created

    from audit import actions

    die, at = Death(int(number)), actions.NewLeaves
    places = {
        "copy": patch.object(at, "read", die.after(at.read)),
        "commit": patch.object(actions, "publish_checkpoint", die.before(actions.publish_checkpoint)),
        "file": patch.object(os, "fsync", die.after(os.fsync)),
    }
    if point == "statement":
        connection_created.connect(lambda connection, **kwargs: connection.execute_wrappers.append(die.wrapper), weak=False)
    with places.get(point, nullcontext()):
        actions.integrate_entries(batch=BATCH)
        while point == "never":
            actions.integrate_entries(batch=BATCH)


def crash(server: str) -> None:
    """Integrate, and let the database's server die when all is committed and nothing is outside yet."""
    from audit import actions

    publish = actions.publish_checkpoint

    def publish_after_the_crash(note: str) -> None:
        kill_server(int(server))
        publish(note)

    with patch.object(actions, "publish_checkpoint", publish_after_the_crash):
        actions.integrate_entries()


def kill_server(postmaster: int) -> None:
    """Kill a PostgreSQL server with everybody in it, before it can do anything more."""
    os.kill(postmaster, signal.SIGSTOP)  # else it would start others in their place
    for pid in [*children_of(postmaster), postmaster]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def children_of(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


class Death:
    def __init__(self, number: int) -> None:
        self._left = number

    def come(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*arguments: Any) -> Any:
            result = work(*arguments)
            self.come()
            return result

        return dying

    def before(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*arguments: Any) -> Any:
            self.come()
            return work(*arguments)

        return dying

    def wrapper(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        return self.after(execute)(*arguments)


def write(seed: str) -> None:
    """Write until killed: short and long transactions, lost savepoints and rollbacks. What was committed goes to a file."""
    from django.conf import settings
    from django.db import connection, transaction

    from tests.audit.entries import entry_about, record_many

    chance = random.Random(seed)
    people = [f"00000000-0000-7000-8000-{number:012}" for number in range(20)]
    with (Path(settings.STATE) / f"committed-{seed}").open("a") as committed:
        while True:
            ids = []
            try:
                with transaction.atomic():
                    for _ in range(chance.randint(1, 3)):
                        ids += record_many([entry_about(chance.choice(people))] * chance.randint(1, 4))
                        with connection.cursor() as cursor:
                            cursor.execute("SELECT pg_sleep(%s)", [chance.choice([0, 0, 0.002, 0.01, 0.05])])
                        lose_savepoint(chance, people)
                    if chance.random() < 0.1:
                        raise Regret
            except Regret:
                continue
            committed.writelines(f"{id}\n" for id in ids)
            committed.flush()


def lose_savepoint(chance: random.Random, people: list[str]) -> None:
    from django.db import transaction

    from tests.audit.entries import entry_about, record_many

    if chance.random() < 0.2:
        try:
            with transaction.atomic():
                record_many([entry_about(chance.choice(people))])
                raise Regret
        except Regret:
            pass


class Regret(Exception):
    pass


if __name__ == "__main__":
    main()
