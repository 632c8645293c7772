"""What can stand in the way of an account; no message ever holds an address or a name."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class AccountError(Exception):
    """Base of all; ``explanation`` is what staff read."""

    explanation: str | Promise = _("This is not possible.")

    def __str__(self) -> str:
        return str(self.explanation)


class TokenInvalid(AccountError):
    """The mailed link was used, has expired, or never existed; nobody is told which."""


class MailboxTaken(AccountError):
    """Another account has confirmed this mailbox. Told only to somebody who can read its mail."""


class NotAllowed(AccountError):
    """The actor's role may not do this, or not to this account."""

    explanation = _("Your role may not do this, or not to this account.")


class TooManySearches(AccountError):
    """This member of staff has searched for too many addresses within an hour."""

    explanation = _("You have searched for many addresses within an hour. Try again later: this keeps lists from being tried out.")


class AlreadyEnrolled(AccountError):
    """The account has a second factor; a new one needs an administrator."""
