"""Search the log, read an entry, keep and drop searches: whoever reads the log is in it themselves (USE-3)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from audit.events import Event
from audit.models import Entry
from audit.record import Reference, record
from privacy.declarations.purposes import Purpose
from privacy.log_search.errors import NameTaken, NotReader, TooManyKept
from privacy.log_search.models import KeptSearch
from privacy.log_search.pages import Found, page_found
from privacy.log_search.queries import READERS, kept_by
from privacy.log_search.searches import LogSearch
from privacy.policy.roles import Actor

KEPT_AT_MOST = 20
READ_FOR = Purpose.SECURITY.value


@transaction.atomic
def search_log(*, by: Actor, search: LogSearch, **place: str) -> Found:
    """One page of what it finds, with numbers. Recorded by the names of the filters, and for the person who was looked for.

    ``place`` is as for ``page_found``. Raises NotReader.
    """
    if by.role not in READERS:
        raise NotReader
    record(Event.LOG_SEARCHED, by=by, subject=search.person, purpose=READ_FOR, fields=search.used)
    return page_found(search, **place)


@transaction.atomic
def read_entry(*, by: Actor, entry: Entry) -> None:
    """Somebody has one entry shown with all it holds. Raises NotReader."""
    if by.role not in READERS:
        raise NotReader
    about = Reference.to(entry)
    record(Event.LOG_ENTRY_READ, by=by, subject=entry.subject_id, object=about, purpose=READ_FOR, categories=entry.categories)


@transaction.atomic
def keep_search(*, by: Actor, search: LogSearch, name: str) -> KeptSearch:
    """Keep a search for oneself. ``name`` names nobody. Raises NotReader, TooManyKept, NameTaken."""
    if by.role not in READERS or by.id is None:
        raise NotReader
    kept = kept_by(by.id)
    if kept.count() >= KEPT_AT_MOST:
        raise TooManyKept
    if kept.filter(name=name).exists():
        raise NameTaken
    new = KeptSearch.objects.create(owner_id=by.id, name=name, parameters=search.parameters)
    record(Event.LOG_SEARCH_KEPT, by=by, object=new, fields=search.used)
    return new


@transaction.atomic
def drop_search(*, by: Actor, id: UUID) -> None:
    """Forget one of one's own; nothing happens where it is gone. Raises NotReader."""
    if by.role not in READERS or by.id is None:
        raise NotReader
    found = kept_by(by.id).filter(pk=id).select_for_update().first()
    if found is not None:
        record(Event.LOG_SEARCH_DROPPED, by=by, object=found)
        found.delete()
