"""How many mails a mailbox gets when somebody who may not own it asks for them."""

from __future__ import annotations

from privacy.access.limits import is_overdone
from privacy.vault.blind_index import blind_index

FROM_ALL = 20


def are_mails_overdone(what: str, mailbox: bytes, requester: bytes) -> bool:
    """Count one more mail to this mailbox; True when there were too many within the hour.

    Five from one requester, twenty from all together: whoever uses up their own five does not keep the mailbox's
    owner from theirs, and a crowd cannot flood it. Both digests go into one count: it says nothing about either.
    """
    pair = blind_index(f"mails-{what}", f"{mailbox.hex()} {requester.hex()}")
    return is_overdone(what, pair) or is_overdone(f"{what}-by-all", mailbox, FROM_ALL)
