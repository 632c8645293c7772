"""By when a ticket is answered, and what happens by the clock alone (RIGHTS-5, RIGHTS-9).

The law gives a month for whatever concerns somebody's data (GDPR Art. 12(3)), and we take no longer for the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from privacy.complaints.models import Ticket

FIRST_ANSWER = timedelta(days=7)
"""Our own aim for the first answer of a person; not a legal term."""
DUE_SOON = timedelta(days=5)
REOPEN_WITHIN = timedelta(days=30)
WAIT_FOR_CUSTOMER = timedelta(days=30)
UNCONFIRMED_FOR = timedelta(days=1)
LINK_LASTS = timedelta(days=30)


def due_after_waiting(ticket: Ticket, now: datetime) -> datetime:
    """The due day of a ticket that stops waiting for the person: later by the time it waited, where it may stand still."""
    if ticket.waiting_since is None or not ticket.stands_still_while_waiting:
        return ticket.due_at
    return ticket.due_at + max(now - ticket.waiting_since, timedelta())
