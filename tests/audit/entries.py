"""Entries for tests that write them in processes of their own."""

from uuid import UUID

from audit.events import Event
from audit.record import NewEntry, record_many
from privacy.policy.roles import Actor

__all__ = ["entry_about", "record_many"]

WRITER = Actor.job("test.writer")


def entry_about(subject: str | UUID | None) -> NewEntry:
    return NewEntry(event=Event.DATA_OPENED, by=WRITER, subject=UUID(str(subject)) if subject else None, purpose="dispatch")
