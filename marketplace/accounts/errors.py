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
    """The account has a second factor: it is turned off or reset before there is another."""


class NoSecondFactor(AccountError):
    """There is no second factor in force."""

    explanation = _("This account has no second step.")


class ChangeMustWait(AccountError):
    """Nobody has answered in the old mailbox, and its fourteen days are not over; or the new one is not proven."""


class LastAdministrator(AccountError):
    """Without this administrator nobody could invite, appoint or reset anybody."""

    explanation = _("This is the last administrator. Give somebody else this role first.")


class SessionUnknown(AccountError):
    """The person has no such session, or no more."""


class TooManyTokens(AccountError):
    """The account has as many tokens for programs as it may have."""


class TooManyMails(AccountError):
    """This mailbox has been written to as often as it may be within an hour."""
