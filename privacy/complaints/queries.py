"""Tickets as pages, cards and programs ask for them (RIGHTS-5, RIGHTS-9)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Entry
from audit.queries import entries_about
from privacy.access.cases import CaseState
from privacy.complaints.clocks import DUE_SOON, FIRST_ANSWER
from privacy.complaints.models import CannedReply, InternalNote, PublicMessage, Ticket, TicketAttachment, TicketEntry, TicketLink
from privacy.policy.roles import Actor, Role
from privacy.rights.uses import in_words, uses_by_others, uses_of

State, Kind = Ticket.State, Ticket.Kind

MESSAGES_A_PAGE = 25
ENTRIES_AT_MOST = 20
LATELY = timedelta(days=90)
COUNTED_AT_MOST = 1000
CASES_AT_MOST = 5
LINES_AT_MOST = 12

HANDLERS: dict[str, frozenset[Role]] = {
    Kind.QUESTION: frozenset({Role.SUPPORT}),
    Kind.COMPLAINT: frozenset({Role.SUPPORT, Role.PRIVACY_OFFICER}),
    Kind.PRIVACY: frozenset({Role.SUPPORT, Role.PRIVACY_OFFICER}),
    # Support reads people's data all day; a suspicion that it was misused is not theirs to judge.
    Kind.MISUSE: frozenset({Role.PRIVACY_OFFICER}),
}


def tickets_of(subject_id: UUID) -> QuerySet[Ticket]:
    """A person's own, newest first."""
    return Ticket.objects.filter(subject_id=subject_id).exclude(state=State.UNCONFIRMED).order_by("-opened_at", "-id")


def received_tickets() -> QuerySet[Ticket]:
    """What staff see: everything but what nobody has confirmed yet."""
    return Ticket.objects.exclude(state=State.UNCONFIRMED)


def live_tickets() -> QuerySet[Ticket]:
    """Confirmed and not closed: the person may still hear from us, or write to us again."""
    return received_tickets().filter(closed_at=None)


def tickets_in_work() -> QuerySet[Ticket]:
    return Ticket.objects.filter(state__in=Ticket.IN_WORK)


def running_tickets() -> QuerySet[Ticket]:
    """Those whose clock runs: with us, or waiting although the law's month does not stand still."""
    return tickets_in_work().filter(Q(state=State.OPEN) | Q(kind__in=[Kind.PRIVACY, Kind.MISUSE]))


def overdue_tickets() -> QuerySet[Ticket]:
    return running_tickets().filter(due_at__lt=timezone.now())


def tickets_due_soon() -> QuerySet[Ticket]:
    now = timezone.now()
    return running_tickets().filter(due_at__range=(now, now + DUE_SOON))


def unanswered_tickets() -> QuerySet[Ticket]:
    """Somebody wrote and has heard nothing since."""
    return Ticket.objects.filter(state=State.OPEN, unanswered_since__isnull=False)


def long_unanswered_tickets() -> QuerySet[Ticket]:
    """Unanswered for longer than we aim at."""
    return unanswered_tickets().filter(unanswered_since__lt=timezone.now() - FIRST_ANSWER)


def handled_by(tickets: QuerySet[Ticket], role: Role) -> QuerySet[Ticket]:
    return tickets.filter(kind__in=[kind for kind, roles in HANDLERS.items() if role in roles])


def is_handler(actor: Actor, ticket: Ticket) -> bool:
    return actor.role in HANDLERS[ticket.kind]


def is_concerned(actor: Actor, ticket: Ticket) -> bool:
    """The person complains about something that this very actor did."""
    about = TicketEntry.objects.filter(ticket=ticket).values("entry_id")
    return actor.id is not None and Entry.objects.filter(pk__in=about, actor_id=actor.id).exists()


def may_handle(actor: Actor, ticket: Ticket) -> bool:
    return is_handler(actor, ticket) and not is_concerned(actor, ticket)


def ticket_state(ticket_id: UUID, actor: Actor) -> CaseState | None:
    """A ticket as the gate asks for it: its handlers' until it is closed, and nobody's who is complained about."""
    ticket = received_tickets().filter(pk=ticket_id).first()
    if ticket is None:
        return None
    roles = frozenset() if is_concerned(actor, ticket) else HANDLERS[ticket.kind]
    return CaseState(
        subject_ids=frozenset({ticket.subject_id}),
        roles=roles,
        open_to=roles if ticket.closed_at is None else frozenset(),
        assigned_to=ticket.assigned_to_id,
        ended_at=ticket.closed_at,
    )


def open_tickets_of(actor: Actor, subject_id: UUID) -> list[tuple[UUID, str]]:
    """The person's tickets that this member of staff may work on, newest first, in words."""
    free = Q(assigned_to=None) | Q(assigned_to=actor.id)
    found = handled_by(live_tickets(), actor.role).filter(free, subject_id=subject_id).order_by("-opened_at")
    return [(id, _("message %(code)s") % {"code": code}) for id, code in found.values_list("pk", "code")[:CASES_AT_MOST]]


def people_with_live_ticket(subject_ids: Iterable[UUID]) -> set[UUID]:
    """Those who have asked us something that is not closed yet: the ground of SUPPORT."""
    return _people(subject_ids, Ticket.LIVE, Kind)


def people_with_complaint(subject_ids: Iterable[UUID]) -> set[UUID]:
    """Those who use their right to complain at this moment: the ground of RIGHTS."""
    return _people(subject_ids, (*Ticket.IN_WORK, State.RESOLVED), (Kind.COMPLAINT, Kind.PRIVACY, Kind.MISUSE))


def _people(subject_ids: Iterable[UUID], states: Iterable[str], kinds: Iterable[str]) -> set[UUID]:
    found = Ticket.objects.filter(subject_id__in=list(subject_ids), state__in=list(states), kind__in=list(kinds))
    return set(found.values_list("subject_id", flat=True))


def own_entries(subject_id: UUID, ids: Iterable[UUID]) -> list[Entry]:
    """Those of these log entries that are about this person and say what was done with their data, newest first."""
    return list(uses_of(subject_id).filter(pk__in=list(ids)[: ENTRIES_AT_MOST + 1]))


def entries_of(ticket: Ticket) -> list[Entry]:
    """The log entries that a ticket is about; at most 20."""
    ids = TicketEntry.objects.filter(ticket=ticket).values("entry_id")
    return list(entries_about(ticket.subject_id).filter(pk__in=ids)[:ENTRIES_AT_MOST])


@dataclass(frozen=True)
class UseCount:
    """How often one role did one thing for one purpose."""

    who: str
    did: str
    why: str
    number: int


def use_counts(subject_id: UUID) -> list[UseCount]:
    """Who used the person's data in the last 90 days, most often first; the person's own looks are left out.

    Counted among the last 1,000 uses, so that the page stays quick whoever it is about.
    """
    recent = uses_by_others(subject_id).filter(at__gte=timezone.now() - LATELY)[:COUNTED_AT_MOST]
    counts = Counter((use.who, use.did, use.why) for use in map(in_words, recent))
    return [UseCount(*words, number) for words, number in counts.most_common(LINES_AT_MOST)]


def messages_of(ticket: Ticket) -> QuerySet[PublicMessage]:
    """The conversation, oldest first, with its files."""
    messages = PublicMessage.objects.filter(subject_id=ticket.subject_id, ticket=ticket).order_by("written_at", "id")
    return messages.prefetch_related(Prefetch("attachments", TicketAttachment.objects.order_by("position")))


def messages_page(ticket: Ticket, number: str | None) -> Page:
    """A page of the conversation; the last page where none is named."""
    pages = Paginator(messages_of(ticket), MESSAGES_A_PAGE)
    return pages.get_page(number or pages.num_pages)


def notes_of(ticket: Ticket) -> QuerySet[InternalNote]:
    """The newest 25, newest first."""
    return InternalNote.objects.filter(subject_id=ticket.subject_id, ticket=ticket).order_by("-written_at", "-id")[:MESSAGES_A_PAGE]


def attachment_of(subject_id: UUID, ticket_id: UUID, attachment_id: UUID) -> TicketAttachment | None:
    """One file of one person's ticket."""
    found = TicketAttachment.objects.filter(subject_id=subject_id, message__ticket_id=ticket_id, pk=attachment_id)
    return found.select_related("file", "message__ticket").first()


def canned_replies(locale: str) -> QuerySet[CannedReply]:
    """Those offered for an answer in this language."""
    return CannedReply.objects.filter(is_active=True, locale=locale).order_by("title")


def person_of_link(token: str) -> UUID | None:
    """Whose ticket a mailed link leads to; asked at the gate, which knows no more of it."""
    digest = hashlib.sha256(token.encode()).digest()
    return TicketLink.objects.filter(digest=digest).values_list("ticket__subject_id", flat=True).first()


def link_by_token(token: str) -> TicketLink | None:
    """The mailed link, whether it still works or not."""
    digest = hashlib.sha256(token.encode()).digest()
    return TicketLink.objects.filter(digest=digest).select_related("ticket").first()
