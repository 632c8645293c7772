"""What a message can be about: upper rooms offer the person's own things, such as their orders (RIGHTS-5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from audit.record import Reference
from privacy.rights.cases import Case, cases_in_words

Choices = Callable[[UUID], Mapping[UUID, str]]

_choices: dict[str, Choices] = {}


def register_about(label: str, choices: Choices) -> None:
    """``choices(subject_id)`` gives words for the newest rows of the model ``label`` that are this person's, newest first.

    The room registers words for any of them with ``privacy.rights.cases`` too.
    """
    _choices[label] = choices


def abouts_of(subject_id: UUID) -> list[tuple[Reference, str]]:
    """Everything that this person can choose, in words, one query a label."""
    return [(Reference(label, id), words) for label, choices in _choices.items() for id, words in choices(subject_id).items()]


def about_in_words(subject_id: UUID, about: Reference | None) -> Case | None:
    """Words for one of the person's own things; None for what is not theirs or no longer there."""
    return cases_in_words(subject_id, [(about.label, about.id)]).get(about) if about else None
