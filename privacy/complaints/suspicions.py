"""What is known of the uses that somebody complains about: who by role and id, for what case, and with which reason (RIGHTS-9)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from audit.models import Entry
from privacy.access.models import Opening
from privacy.access.oversight.models import Review
from privacy.complaints.models import Ticket
from privacy.complaints.queries import entries_of
from privacy.rights.uses import Use, in_words


@dataclass(frozen=True)
class Suspicion:
    """One entry of a ticket. ``look`` holds the reason, sealed, where staff opened something; ``review`` judges that look."""

    entry: Entry
    use: Use
    look: Opening | None
    review: Review | None


def suspicions_of(ticket: Ticket) -> list[Suspicion]:
    """Newest first, in three queries."""
    entries = entries_of(ticket)
    looks = looks_behind(ticket.subject_id, [entry.pk for entry in entries])
    reviews = {review.opening_id: review for review in _reviews_of(ticket.subject_id, looks)}
    look_of = {id: look for look in looks for id in look.entries}
    found = ((entry, look_of.get(entry.pk)) for entry in entries)
    return [Suspicion(entry, in_words(entry), look, reviews.get(look.pk) if look else None) for entry, look in found]


def looks_behind(subject_id: UUID, entry_ids: list[UUID]) -> list[Opening]:
    """The looks of staff at this person that these entries tell of, as long as they are kept."""
    if not entry_ids:
        return []
    return list(Opening.objects.filter(subject_id=subject_id, entries__overlap=entry_ids))


def _reviews_of(subject_id: UUID, looks: list[Opening]) -> list[Review]:
    if not looks:
        return []
    return list(Review.objects.filter(subject_id=subject_id, opening_id__in=[look.pk for look in looks]))
