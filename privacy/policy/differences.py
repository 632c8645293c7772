"""What differs between two versions of the policy, word by word (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

SAME, ADDED, REMOVED = "same", "added", "removed"


@dataclass(frozen=True)
class Piece:
    """Words that both have ("same"), or that one of the two has ("added", "removed"); a blank stands between pieces."""

    kind: str
    words: str


Pieces = list[Piece]


@dataclass(frozen=True)
class Difference:
    """One part of the policy; ``kind`` is "same", "added", "removed" or "changed"."""

    id: str
    kind: str
    heading: Pieces
    paragraphs: list[Pieces]


def compare_summaries(old: Sequence[str], new: Sequence[str]) -> list[Pieces]:
    return list(_compare_paragraphs(old, new))


def compare_sections(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[Difference]:
    """The parts in the order of the new version, each followed by those that only the old one had there."""
    before, after = ({section["id"]: section for section in sections} for sections in (old, new))
    ids = [id for _kind, id in _aligned(list(before), list(after))]
    return [_compare_section(id, before.get(id), after.get(id)) for id in dict.fromkeys(ids)]


def compare_words(old: str, new: str) -> Pieces:
    """The words of both in reading order, what is removed before what replaces it."""
    return _joined(_aligned(old.split(), new.split()))


def is_changed(pieces: Pieces) -> bool:
    return any(piece.kind != SAME for piece in pieces)


def _compare_section(id: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> Difference:
    was, now = old or {"heading": "", "paragraphs": []}, new or {"heading": "", "paragraphs": []}
    heading = compare_words(was["heading"], now["heading"])
    paragraphs = list(_compare_paragraphs(was["paragraphs"], now["paragraphs"]))
    if old is None or new is None:
        return Difference(id, ADDED if old is None else REMOVED, heading, paragraphs)
    return Difference(id, "changed" if any(map(is_changed, [heading, *paragraphs])) else SAME, heading, paragraphs)


def _compare_paragraphs(old: Sequence[str], new: Sequence[str]) -> Iterator[Pieces]:
    """Equal paragraphs find each other; between them, those in the same place are compared word by word."""
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from ([Piece(SAME, words)] for words in new[j1:j2])
            continue
        both = min(i2 - i1, j2 - j1)
        yield from (compare_words(old[i1 + n], new[j1 + n]) for n in range(both))
        yield from ([Piece(REMOVED, words)] for words in old[i1 + both : i2])
        yield from ([Piece(ADDED, words)] for words in new[j1 + both : j2])


def _aligned(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from ((SAME, part) for part in new[j1:j2])
        else:
            yield from ((REMOVED, part) for part in old[i1:i2])
            yield from ((ADDED, part) for part in new[j1:j2])


def _joined(parts: Iterator[tuple[str, str]]) -> Pieces:
    pieces: Pieces = []
    for kind, words in parts:
        if pieces and pieces[-1].kind == kind:
            pieces[-1] = Piece(kind, f"{pieces[-1].words} {words}")
        else:
            pieces.append(Piece(kind, words))
    return pieces
