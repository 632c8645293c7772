"""Why a proposal is refused, or cannot be decided now; each is told to the staff in its own words (PROTECT-3)."""

from django.utils.translation import gettext_lazy as _


class ProposalError(Exception):
    """Base of all. ``words`` are for the person who tried; ``code`` is what the proposal and the log keep."""

    words = _("Nothing was changed.")
    code = "refused"

    def __str__(self) -> str:
        return str(self.words)


class RoleMayNot(ProposalError):
    """This role, or a role that the actor no longer has, asks for or approves no such act."""

    words = _("Your role may not do this.")
    code = "role"


class OwnProposal(ProposalError):
    """Nobody approves what they asked for themselves, whatever account or role they come with."""

    words = _("You asked for this yourself, so somebody else has to decide.")
    code = "own"


class TooLate(ProposalError):
    """It was decided, withdrawn or has lapsed."""

    words = _("Nothing was changed: this has been decided, withdrawn, or has lapsed.")
    code = "too_late"


class PlanChanged(ProposalError):
    """The act would do something else than what was shown."""

    words = _("The plan has changed since the page was shown. Read it again, then decide.")
    code = "plan_changed"


class PlanImpossible(ProposalError):
    """There is nothing to do any more, or not what was asked for."""

    words = _("This is no longer possible.")
    code = "plan_impossible"


class RoleLost(ProposalError):
    """Whoever asked or approved has lost the role since."""

    words = _("Whoever asked or approved no longer has the role for it.")
    code = "role_lost"


class Unrecorded(ProposalError):
    """The log does not tell that these two asked and approved: the row was written around the program."""

    words = _("The log tells of nobody who asked for this and approved it.")
    code = "unrecorded"


class WordsName(ProposalError):
    """The words look as if they named a person."""

    words = _("Name nobody here: no email address, and no number of more than four digits.")
    code = "words"


class NotPlain(Exception):
    """Parameters are ids, numbers and choices alone. A fault of the program."""


class UnknownKind(Exception):
    """No room has registered this kind of act. A fault of the program."""
