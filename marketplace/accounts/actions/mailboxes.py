"""Whose mailbox is whose: one account a mailbox, decided by an index of keyed digests."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from marketplace.accounts.errors import MailboxTaken
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import AccountToken, MailboxIndex, PendingMailbox, User


def claim_mailbox(user: User, email: str) -> None:
    """Enter the mailbox as this account's; the unique index decides between two who claim it at once.

    Raises MailboxTaken.
    """
    try:
        with transaction.atomic():
            MailboxIndex.objects.update_or_create(user=user, defaults={"digest": mailbox_digest(email)})
    except IntegrityError:
        raise MailboxTaken from None


def drop_mailbox_change(user: User) -> None:
    """Forget the address that waits for an answer, and every link mailed to it.

    The links belong to the account and not to an address: one that outlived its address would confirm the next
    one, which nobody has proven. The address goes first, because a worker that is making a link holds its row.
    """
    PendingMailbox.objects.filter(subject_id=user.subject_id).delete()
    AccountToken.objects.filter(user=user, kind=AccountToken.Kind.CHANGE).delete()
