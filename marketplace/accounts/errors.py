"""What can stand in the way of an account; no message ever holds an address or a name."""


class AccountError(Exception):
    """Base of all."""


class TokenInvalid(AccountError):
    """The mailed link was used, has expired, or never existed; nobody is told which."""


class MailboxTaken(AccountError):
    """Another account has confirmed this mailbox. Told only to somebody who can read its mail."""


class NotAllowed(AccountError):
    """The actor's role may not do this."""


class AlreadyEnrolled(AccountError):
    """The account has a second factor; a new one needs an administrator."""
