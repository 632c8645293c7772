"""The rows that the other modules of this folder fill in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from audit.events import Event

Act = Callable[[], Any]


class Keeps(StrEnum):
    """What an entry that cannot be written does not undo, because the other order would be worse."""

    NOTHING = "everything is undone"
    KEYS_END_FIRST = "the keys' database commits first: a repetition finds them gone and notes it"
    BEGUN_FIRST = "an entry that says it begins is committed before the keys' database changes: a repetition ends it"
    FILE_GOES_FIRST = "a file is deleted before its name is: a repetition finds the name again"
    FILE_COMES_FIRST = "a file's name is entered before there is a file: the next attempt deletes it"
    SEALED_ANEW = "values are sealed under the new key first, and both keys open them until the end"
    ROUNDS = "each round is a transaction of its own: those before the broken one stay"


@dataclass(frozen=True, eq=False)
class Call:
    """``prepare`` makes what is needed and returns the act; ``writes`` are the entries of one act, in any order."""

    name: str
    actions: tuple[Callable[..., Any], ...]
    writes: list[Event]
    prepare: Callable[[], Act]
    keeps: Keeps

    def __str__(self) -> str:
        return f"{self.actions[0].__name__}-{self.name}"


CALLS: list[Call] = []


def call(
    *actions: Callable[..., Any], writes: Iterable[Event], keeps: Keeps = Keeps.NOTHING
) -> Callable[[Callable[[], Act]], Callable[[], Act]]:
    def register(prepare: Callable[[], Act]) -> Callable[[], Act]:
        CALLS.append(Call(prepare.__name__, actions, sorted(writes), prepare, keeps))
        return prepare

    return register
