"""Reads about accounts."""

from __future__ import annotations

from uuid import UUID

from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import AccountDetails, User
from privacy.vault.sealed import Sealed


def account_with_mailbox(email: str) -> User | None:
    """The open account whose confirmed mailbox this is."""
    return User.objects.filter(mailbox_index__digest=mailbox_digest(email), is_active=True).first()


def is_mailbox_taken(email: str, by_other_than: UUID) -> bool:
    """True when another account has confirmed this mailbox. Never shown to whoever typed the address."""
    taken = User.objects.filter(mailbox_index__digest=mailbox_digest(email))
    return taken.exclude(pk=by_other_than).exists()


def details_of(user: User) -> AccountDetails | None:
    """Name and mailbox of an account, sealed; None once it is closed."""
    return AccountDetails.objects.filter(user=user).first()


def mailbox_of_subject(subject_id: UUID) -> Sealed | None:
    """The sealed address of the person, as ``privacy.mail`` asks for it."""
    details = AccountDetails.objects.filter(subject_id=subject_id).first()
    return details.email if details else None
