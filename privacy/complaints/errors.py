"""Why a ticket stays as it is; the text of each is for people and names nobody (RIGHTS-5, RIGHTS-9)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class TicketRefused(Exception):
    """Base of all; nothing was changed."""

    words: str | Promise = _("Nothing was changed: this is no longer possible.")

    def __str__(self) -> str:
        return str(self.words)


class NotYourTicket(TicketRefused):
    """Only the person themselves writes, reopens and takes back; only their own log entries are referred to."""

    words = _("Nothing was changed: this is not yours.")


class NotYourCase(TicketRefused):
    """This role does not handle this kind of ticket."""

    words = _("Nothing was changed: your role does not handle tickets of this kind.")


class AgentConcerned(TicketRefused):
    """The complaint is about what this very member of staff did."""

    words = _("Nothing was changed: this complaint is about something that you did, so somebody else has to handle it.")


class TicketMoved(TicketRefused):
    """The ticket has changed since the page was shown."""

    words = _("Not sent yet: something has changed since you opened this page. Your text is still here: read what is new, then send it.")


class TicketEnded(TicketRefused):
    """Resolved or closed; a resolved one can be reopened by the person, a closed one cannot."""

    words = _("Nothing was sent: this has ended meanwhile.")


class TicketStillOpen(TicketRefused):
    """Only what has been resolved can be reopened."""

    words = _("Nothing was changed: this is still open.")


class ReopeningOver(TicketRefused):
    """The 30 days to disagree are over."""

    words = _("The 30 days to look at this again are over. Please write a new message.")


class TooManyTickets(TicketRefused):
    """So many open ones that more would not be answered sooner."""

    words = _("You have many open messages with us. Please add to one of them, or wait for our answers.")


class TooManyMessages(TicketRefused):
    """More messages in an hour than anybody reads."""

    words = _("You have sent many messages within an hour. Please wait a little; your text is still here.")


class AnswerMissing(TicketRefused):
    """An outcome without words, or words without an outcome, is no answer."""

    words = _("Nothing was changed: an answer needs its outcome and its words.")


class BodyRefused(TicketRefused):
    """Empty, or longer than BODY_MAX."""

    words = _("Please write between 1 and 5,000 characters.")


class UnknownAbout(TicketRefused):
    """What the ticket is to be about is not this person's."""

    words = _("Please choose one of your own orders.")


class PersonErased(TicketRefused):
    """The person was erased; nothing can be written about them any more."""

    words = _("Nothing was changed: this person's data has been erased.")


class FormSpent(TicketRefused):
    """A form makes one message; this one has made its own."""

    words = _("Nothing was sent: this form has been used before. Open the page again to write another message.")


class LinkUsed(TicketRefused):
    """The mailed link was used, has expired, or never existed; ``is_known`` when a new one can be mailed."""

    words = _("This link no longer works.")

    def __init__(self, is_known: bool = False) -> None:
        super().__init__()
        self.is_known = is_known


class FileRefused(TicketRefused):
    """A file that we do not take; nothing of it was stored."""

    words = _("This file cannot be read.")


class FileEmpty(FileRefused):
    words = _("This file is empty.")


class FileTooLarge(FileRefused):
    words = _("This file is larger than 5 MB.")


class FileOfUnknownType(FileRefused):
    words = _("We take pictures (JPEG, PNG, WebP), PDF documents and plain text. This file is something else, whatever its name says.")


class FileDamaged(FileRefused):
    words = _("This file is damaged, locked with a password, or not what it says it is.")


class PictureTooLarge(FileRefused):
    words = _("This picture has more than 25 million pixels. Please make it smaller.")


class TooManyFiles(FileRefused):
    words = _("Please send at most 5 files with one message.")
