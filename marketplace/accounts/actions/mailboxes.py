"""Whose mailbox is whose: one account a mailbox, decided by an index of keyed digests."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from marketplace.accounts.errors import MailboxTaken
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import MailboxIndex, User


def claim_mailbox(user: User, email: str) -> None:
    """Enter the mailbox as this account's; the unique index decides between two who claim it at once.

    Raises MailboxTaken.
    """
    try:
        with transaction.atomic():
            MailboxIndex.objects.update_or_create(user=user, defaults={"digest": mailbox_digest(email)})
    except IntegrityError:
        raise MailboxTaken from None
