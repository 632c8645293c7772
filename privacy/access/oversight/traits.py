"""Marks of the family names and streets that staff read, to tell that they read many alike and nothing else (PROTECT-2, PROTECT-4)."""

from __future__ import annotations

import unicodedata
from functools import partial
from typing import Any
from uuid import UUID

from audit.events import Event
from audit.record import NewEntry, record_many
from privacy.access.oversight.models import ReadTrait
from privacy.access.units import current_unit
from privacy.policy.roles import Actor
from privacy.vault.blind_index import blind_index
from privacy.vault.fields import SealedField
from privacy.vault.records import PersonalRecord

# Two bytes: four people share a mark by chance once in ages, and of a million names some fifteen share each of them.
MARK_BYTES = 2
WATCHER = Actor.job("watch")

_kinds: dict[str, ReadTrait.Kind] = {}


def register_trait(model: type[PersonalRecord], name: str, kind: ReadTrait.Kind) -> None:
    """This sealed field holds somebody's name, or the line of an address with the street."""
    _kinds[model._meta.get_field(name).path] = kind  # type: ignore[union-attr]


def note_trait(actor: Actor, subject_id: UUID, field: SealedField, text: str) -> None:
    """As the gate tells what staff read: keep a mark of it, once a unit of work, whatever becomes of that."""
    kind = _kinds.get(field.path)
    plain = _trait(kind, text) if kind else ""
    if not plain or actor.is_subject(subject_id):
        return
    unit = current_unit()
    if not unit.read:
        unit.afterwards.append(partial(_keep, unit.read))
    unit.read.add((actor.id, actor.role.value, subject_id, kind, _mark(actor, kind, plain)))


def _trait(kind: ReadTrait.Kind, text: str) -> str:
    """The last word of a name; a street without its number."""
    words = unicodedata.normalize("NFKC", text).casefold().replace(",", " ").split()
    if kind == ReadTrait.Kind.NAME:
        return words[-1] if words else ""
    return " ".join(word for word in words if not any(letter.isdigit() for letter in word))


def _mark(actor: Actor, kind: ReadTrait.Kind | None, plain: str) -> bytes:
    """Keyed, and another one for each member of staff: the marks of two of them cannot be compared."""
    return blind_index("trait-read", f"{actor.id}|{kind}|{plain}")[:MARK_BYTES]


def _keep(read: set[tuple[Any, ...]]) -> None:
    people = sorted({subject_id for _, _, subject_id, _, _ in read})
    record_many(NewEntry(event=Event.TRAIT_NOTED, by=WATCHER, subject=subject_id) for subject_id in people)
    ReadTrait.objects.bulk_create(
        ReadTrait(actor_id=actor_id, role=role, subject_id=subject_id, kind=kind, mark=mark)
        for actor_id, role, subject_id, kind, mark in sorted(read)
    )
