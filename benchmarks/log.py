"""Binding entries into the log and verifying it, against the bare hashes, against pymerkle, and in memory as it grows."""

from __future__ import annotations

import hmac
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from statistics import median

from django.conf import settings
from django.db import connection
from pymerkle import InmemoryTree

from benchmarks.rounds import Row, seconds

ENTRIES, MANY = 100_000, 2_000_000
ROUNDS = 3
AT_ONCE = 10_000
PORTION = 4000
PEOPLE = 2000
CONTENT = os.urandom(620)  # as long as the canonical text of one of these entries
LEAF = os.urandom(65)

# As the program writes them, ids in the order of time among them.
FILL = """
INSERT INTO audit_entry (id, event, actor_role, actor_id, actor_name, subject_id, object_label, object_id, case_label, case_id, purpose,
    categories, fields, request_id, outcome)
SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n %% 4096), 3, '0') || '8'
        || substr(md5(random()::text), 1, 15))::uuid,
    'privacy.data.opened', 'support', gen_random_uuid(), '', md5((n %% %s)::text)::uuid, 'orders.order', gen_random_uuid(),
    'orders.parcel', gen_random_uuid(), 'dispatch', '{delivery,purchase}', '{orders.orderaddress.line1}', gen_random_uuid(), 'ok'
FROM generate_series(1, %s) n
"""


def rows() -> Iterator[Row]:
    from audit.actions import integrate_entries
    from audit.verification import find_fault

    fill(ENTRIES)
    few = peak_of_a_process()
    works = (integrate_entries, lambda: find_fault(lambda done, total: None), bare_hashes, grow, grow_with_pymerkle)
    taken: dict[Callable[[], object], list[float]] = {work: [] for work in works}
    for _ in range(ROUNDS):
        fill(ENTRIES)
        for work in works:
            size = verified_size() / ENTRIES if work is works[1] else 1  # which reads everything anew
            taken[work].append(seconds(work) / size)
    integration, verification, hashes, tree, pymerkle = (median(taken[work]) for work in works)
    yield rate("a tree of leaves and its root", "pymerkle, in memory", 2, tree, pymerkle)
    for name, ours in (("entries bound into the log", integration), ("verification of the whole log", verification)):
        yield rate(name, "hashlib alone, the same hashes", 0.25, ours, hashes)
        yield rate(name, "pymerkle's bare tree, in memory", 1, ours, pymerkle)
    yield memory(few)


def rate(name: str, peer: str, at_least: float, ours: float, theirs: float) -> Row:
    ratio = theirs / ours
    name = f"{name}, {ENTRIES / ours:,.0f} a second"
    return Row(name, peer, ours, theirs, f"at least {at_least:g} times its rate", ratio, ratio >= at_least)


def fill(number: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(number // AT_ONCE):
            cursor.execute(FILL, [PEOPLE, AT_ONCE])


def verified_size() -> int:
    from audit.models import Leaf

    return Leaf.objects.count()


def bare_hashes() -> None:
    """One HMAC of the content, one leaf and one node for each entry."""
    key, left, right = os.urandom(32), os.urandom(32), os.urandom(32)
    for _ in range(ENTRIES):
        hmac.digest(key, CONTENT, "sha256")
        sha256(b"\x00" + LEAF).digest()
        sha256(b"\x01" + left + right).digest()


def grow() -> None:
    from audit.tiles import GrowingTiles
    from audit.tree import leaf_hash

    tree = GrowingTiles()
    for _ in range(ENTRIES // PORTION):
        tree.extend([leaf_hash(LEAF) for _ in range(PORTION)])
    tree.frontier.root()


def grow_with_pymerkle() -> None:
    tree = InmemoryTree(algorithm="sha256")
    for _ in range(ENTRIES):
        tree.append_entry(LEAF)
    tree.get_root()


def memory(few: int) -> Row:
    """The most that a process needs which integrates and verifies; one was started for each size."""
    fill(MANY - verified_size())
    many = peak_of_a_process()
    ratio = many / few
    name, peer = f"memory with {MANY:,} entries, {many / 1e6:,.0f} MB", f"with {ENTRIES:,} entries"
    return Row(name, peer, many, few, "at most 1.2 times as much", ratio, ratio <= 1.2)


def peak_of_a_process() -> int:
    done = subprocess.run([sys.executable, "-m", "benchmarks.log"], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    return int(done.stdout)


def main() -> None:
    import django

    django.setup()
    from audit.actions import integrate_entries
    from audit.verification import find_fault

    integrate_entries()
    tally, fault = find_fault(lambda done, total: None)
    if fault or tally.entries != verified_size():
        raise SystemExit(f"the log does not hold: {fault}")
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


if __name__ == "__main__":
    main()
