"""Whose mailbox is whose: one account a mailbox, decided by an index of keyed digests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from audit.events import Event
from audit.record import record
from marketplace.accounts.errors import MailboxTaken
from marketplace.accounts.lockout import mailbox_digest, mailbox_digests
from marketplace.accounts.models import AccountToken, MailboxIndex, PendingMailbox, User
from marketplace.accounts.queries import mailboxes_under_other_keys
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.vault.blind_index import index_key_name

BATCH = 200
CHANGE_LINKS = (AccountToken.Kind.CHANGE, AccountToken.Kind.AGREE, AccountToken.Kind.REFUSE)


def claim_mailbox(user: User, email: str) -> None:
    """Enter the mailbox as this account's; the unique index decides between two who claim it at once.

    Raises MailboxTaken.
    """
    digests = mailbox_digests(email)
    if len(digests) > 1:
        # While there are two keys, two servers that do not agree on which comes first could enter one mailbox twice.
        _wait_for_other_claims(min(digests))
    if MailboxIndex.objects.filter(digest__in=digests).exclude(user=user).exists():
        raise MailboxTaken
    try:
        with transaction.atomic():
            MailboxIndex.objects.update_or_create(user=user, defaults=_entry(email))
    except IntegrityError:
        raise MailboxTaken from None


def _entry(email: str) -> dict[str, Any]:
    return {"digest": mailbox_digest(email), "key_name": index_key_name()}


def _wait_for_other_claims(digest: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])


def rotate_mailbox_index(*, by: Actor) -> Iterator[int]:
    """Enter every mailbox under the key in use, a batch a transaction; yields how many of each batch are done.

    Sign-in goes on meanwhile under both keys. Interrupted, it goes on where it stopped. Addresses are opened for it
    under SECURITY, as each person sees. One that cannot be read stays as it is (``mailboxes_under_other_keys``).
    """
    last = UUID(int=0)
    while True:
        with unit_of_work():
            rest = mailboxes_under_other_keys().filter(user_id__gt=last)
            batch = list(rest.select_for_update(of=("self",), skip_locked=True)[:BATCH])
            if not batch:
                record(Event.MAILBOX_INDEX_ROTATED, by=by)
                return
            last = batch[-1].user_id
            done = _rotate(by, batch)
        yield done


def _rotate(by: Actor, batch: list[MailboxIndex]) -> int:
    held = [row for row in batch if hasattr(row.user, "details")]
    with open_access(by=by, purpose=Purpose.SECURITY) as grant:
        grant.load(row.user.details for row in held)
        emails = {row.pk: grant.read(row.user.details.email) for row in held}
    return sum(_move(key, email) for key, email in emails.items() if email)


def _move(key: UUID, email: str) -> bool:
    try:
        with transaction.atomic():
            return MailboxIndex.objects.filter(pk=key).update(**_entry(email)) == 1
    except IntegrityError:  # two accounts whose addresses were not the same when they were entered
        return False


def drop_mailbox_change(user: User) -> bool:
    """Forget the address that waits for answers, and every link mailed about it; whether there was one.

    The links belong to the account and not to an address: one that outlived its address would answer for the next
    one, which nobody has proven. The address goes first, because a worker that is making a link holds its row.
    """
    dropped, _ = PendingMailbox.objects.filter(subject_id=user.subject_id).delete()
    AccountToken.objects.filter(user=user, kind__in=CHANGE_LINKS).delete()
    return dropped > 0
