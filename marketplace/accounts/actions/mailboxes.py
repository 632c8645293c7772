"""Whose mailbox is whose: one account a mailbox, decided by an index of keyed digests."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from marketplace.accounts.errors import MailboxTaken
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import AccountToken, MailboxIndex, PendingMailbox, User

CHANGE_LINKS = (AccountToken.Kind.CHANGE, AccountToken.Kind.AGREE, AccountToken.Kind.REFUSE)


def claim_mailbox(user: User, email: str) -> None:
    """Enter the mailbox as this account's; the unique index decides between two who claim it at once.

    Raises MailboxTaken.
    """
    try:
        with transaction.atomic():
            MailboxIndex.objects.update_or_create(user=user, defaults={"digest": mailbox_digest(email)})
    except IntegrityError:
        raise MailboxTaken from None


def drop_mailbox_change(user: User) -> bool:
    """Forget the address that waits for answers, and every link mailed about it; whether there was one.

    The links belong to the account and not to an address: one that outlived its address would answer for the next
    one, which nobody has proven. The address goes first, because a worker that is making a link holds its row.
    """
    dropped, _ = PendingMailbox.objects.filter(subject_id=user.subject_id).delete()
    AccountToken.objects.filter(user=user, kind__in=CHANGE_LINKS).delete()
    return dropped > 0
