"""Files that upper rooms hold about a person are in their copy like everything else (RIGHTS-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from privacy.access.gate import Grant


@dataclass(frozen=True)
class HeldFile:
    """One file: a name that says nothing about the person, unique among theirs, and its plain bytes."""

    name: str
    chunks: Callable[[], Iterator[bytes]]


FindFiles = Callable[[UUID, Grant], Iterable[HeldFile]]

_sources: list[FindFiles] = []


def register_files(find: FindFiles) -> None:
    """``find(subject_id, grant)`` gives the files of one person, opened under ``grant``, which serves their rights."""
    if find not in _sources:
        _sources.append(find)


def files_held(subject_id: UUID, grant: Grant) -> Iterator[HeldFile]:
    for find in _sources:
        yield from find(subject_id, grant)
