"""Who is looked for by their mailbox, as the room of accounts registers it (USE-3, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from privacy.policy.roles import Actor, Role


@dataclass(frozen=True)
class MailboxSearch:
    """``find(by, email)`` gives the person with exactly this address, and records the search; ``roles`` may ask.

    Its ``refusals`` have words for staff.
    """

    find: Callable[[Actor, str], UUID | None]
    roles: frozenset[Role]
    refusals: tuple[type[Exception], ...]


_searches: list[MailboxSearch] = []


def register_mailbox_search(search: MailboxSearch) -> None:
    if search not in _searches:
        _searches.append(search)


def mailbox_search_for(actor: Actor) -> MailboxSearch | None:
    """None for roles that look nobody up by mailbox."""
    return next((search for search in _searches if actor.role in search.roles), None)
