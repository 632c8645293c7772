"""Erasures carried out again after a restore: what a backup brought back of erased people goes (RIGHTS-3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.utils import timezone

from audit.events import Event
from audit.record import NewEntry, record, record_many
from privacy.access.gate import unit_of_work
from privacy.declarations.categories import CATEGORY_SCOPES
from privacy.policy.roles import Actor
from privacy.retention.deletion import delete_rows
from privacy.retention.walker import erasable_models
from privacy.rights.copies import delete_all_copies
from privacy.rights.erasure import room_steps
from privacy.vault.ledger import Line, batches, people_to_end, replay_ledger
from privacy.vault.models import Subject

BATCH = 5_000
PEOPLE = 500


def replay_erasures(*, by: Actor, lines: Iterable[Line]) -> int:
    """Destroy the keys again that the ledger names, then everything else that an erasure takes.

    Returns how many people the data knew as not erased, or had rows of. People whom the data does not know at all
    are passed over: their backup is older than they are. Repeating it changes nothing.
    """
    wanted = list(lines)
    _say_whose_keys_end(by, people_to_end(wanted))
    replay_ledger(wanted)
    ended = {UUID(line["subject"]) for line in wanted if line["scope"] in CATEGORY_SCOPES}
    return sum(_erase_again(by, subject) for subject in _known(sorted(ended)))


def _say_whose_keys_end(by: Actor, subject_ids: set[UUID]) -> None:
    """Before they do, also of people whom the data does not know: else their keys went around the program."""
    for people in batches(sorted(subject_ids), PEOPLE):
        with unit_of_work():
            record_many(NewEntry(event=Event.KEY_DESTROYED, by=by, subject=id) for id in people)


def _known(subject_ids: list[UUID]) -> Iterator[Subject]:
    for people in batches(subject_ids, PEOPLE):
        yield from Subject.objects.filter(pk__in=people)


def _erase_again(by: Actor, subject: Subject) -> bool:
    was_erased = subject.erased_at is not None
    with unit_of_work():
        Subject.objects.filter(pk=subject.pk, erased_at=None).update(erased_at=timezone.now())
        delete_all_copies(by=by, subject_id=subject.pk)
        for act in room_steps().values():
            act(subject)
    deleted = {model._meta.label_lower: _delete_of(by, model, subject) for model in erasable_models()}
    if was_erased and not any(deleted.values()):
        return False
    with unit_of_work():
        record(Event.ERASURE_REPLAYED, by=by, subject=subject.pk, object=subject, fields=sorted(name for name, n in deleted.items() if n))
    return True


def _delete_of(by: Actor, model: type, subject: Subject) -> int:
    total = 0
    rows = model._base_manager.filter(subject_id=subject.pk).order_by("pk")  # type: ignore[attr-defined]
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        with unit_of_work():
            total += delete_rows(model, keys)
            record(Event.ERASURE_ADVANCED, by=by, subject=subject.pk, object=subject, fields=[model._meta.label_lower])  # type: ignore[attr-defined]
    return total
