"""The person behind a ticket: their account, where an upper room knows one, and the mailbox for answers (RIGHTS-5, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from privacy.complaints.models import Ticket, TicketContact
from privacy.mail.templates import mailbox_of
from privacy.vault.records import PersonalRecord
from privacy.vault.sealed import Sealed

FindAccount = Callable[[UUID], PersonalRecord | None]

_accounts: list[FindAccount] = []


def register_account(find: FindAccount) -> None:
    """``find(subject_id)`` gives the record with name and mailbox of a person's account, or None."""
    if find not in _accounts:
        _accounts.append(find)


def account_of(subject_id: UUID) -> PersonalRecord | None:
    return next((account for find in _accounts if (account := find(subject_id)) is not None), None)


def contact_of(subject_id: UUID, ticket: Ticket | None = None) -> TicketContact | None:
    """The mailbox that a person without an account proved, for this ticket or with their newest one."""
    contacts = TicketContact.objects.filter(subject_id=subject_id).select_related("ticket").order_by("-id")
    return (contacts.filter(ticket=ticket) if ticket else contacts).first()


def mailbox_of_guest(subject_id: UUID) -> Sealed | None:
    """As ``privacy.mail`` asks every room for an address."""
    contact = contact_of(subject_id)
    return contact.email if contact else None


def mailbox_for(ticket: Ticket) -> Sealed | None:
    """Where news of a ticket goes: to the mailbox that was given with it, else to the person's usual one."""
    contact = contact_of(ticket.subject_id, ticket)
    return contact.email if contact else mailbox_of(ticket.subject_id)


def records_of(ticket: Ticket) -> list[PersonalRecord]:
    """Who it is, sealed."""
    found = (account_of(ticket.subject_id), contact_of(ticket.subject_id, ticket))
    return [record for record in found if record is not None]
