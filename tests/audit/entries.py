"""Entries for tests that write them in processes of their own, or that need one in the tree."""

from uuid import UUID

from django.db import connection

from audit.actions import _add_checkpoint, integrate_entries
from audit.checkpoints import frontier_of, newest_checkpoint
from audit.commitments import commitment, content_of, key_source, leaf_bytes
from audit.events import Event
from audit.models import Entry, Leaf
from audit.record import NewEntry, record_many
from audit.tree import leaf_hash
from privacy.policy.roles import Actor

__all__ = ["bind", "entry_about", "record_many"]

WRITER = Actor.job("test.writer")


def entry_about(subject: str | UUID | None) -> NewEntry:
    return NewEntry(event=Event.DATA_OPENED, by=WRITER, subject=UUID(str(subject)) if subject else None, purpose="dispatch")


def bind(entry: Entry) -> None:
    """Put an entry into the tree, also one of the transaction at hand, which the integration waits for."""
    if not connection.in_atomic_block:
        integrate_entries()
        return
    newest = newest_checkpoint()
    frontier = frontier_of(newest)
    key_id, key = key_source().log_keys({entry.subject_id})[entry.subject_id]
    leaf = Leaf.objects.create(index=frontier.size, entry_id=entry.pk, key_id=key_id, commitment=commitment(content_of(entry), key))
    frontier.extend([leaf_hash(leaf_bytes(entry.pk.bytes, key_id.bytes, bytes(leaf.commitment)))])
    _add_checkpoint(frontier, newest.watermark if newest else 0)
