"""Measures two things in turns, so that whatever else the machine does falls on both."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table. ``ours`` and ``theirs`` are medians in seconds for the same work."""

    name: str
    peer: str
    ours: float
    theirs: float
    goal: str
    ratio: float
    holds: bool

    def as_json(self) -> dict[str, Any]:
        return {key: round(value, 9) if isinstance(value, float) else value for key, value in asdict(self).items()}


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def medians(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of each, taken in turns after one round that does not count."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return median(mine for mine, _ in pairs), median(other for _, other in pairs)


def times_as_fast(name: str, peer: str, at_least: float, ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 15) -> Row:
    mine, other = medians(ours, theirs, rounds)
    ratio = other / mine
    return Row(name, peer, mine, other, f"at least {at_least:g} times its rate", ratio, ratio >= at_least)


def times_as_long(name: str, peer: str, at_most: float, ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 15) -> Row:
    mine, other = medians(ours, theirs, rounds)
    ratio = mine / other
    return Row(name, peer, mine, other, f"at most {at_most:g} times as long", ratio, ratio <= at_most)
