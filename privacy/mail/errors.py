"""What can go wrong with mail; no message ever holds an address (PROTECT-1)."""


class MailError(Exception):
    """Base of all."""


class MailUnknown(MailError):
    """No mail of that name was declared."""


class MailboxMissing(MailError):
    """The person has no mailbox that we may write to; the mail is dropped, not kept waiting."""


class MailOverdone(MailError):
    """The mail is no longer wanted: what it was about has passed, and it is dropped."""


class MailRefused(MailError):
    """The mail server says that this mailbox will never take the mail."""
