"""Why the gate stays closed; each is recorded, none names a value (USE-3)."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _


class AccessDenied(PermissionDenied):
    """Base of all refusals; ``code`` is what the log keeps."""

    code = "denied"


class RoleDenied(AccessDenied):
    """The role may not open anything for this purpose, or not for this person."""

    code = "role_denied"


class CategoryDenied(AccessDenied):
    """The purpose does not cover this category for this role."""

    code = "category_denied"


class ReasonMissing(AccessDenied):
    """Staff say why they open something."""

    code = "reason_missing"


class PurposeNotInForce(AccessDenied):
    """The policy in force does not know this purpose."""

    code = "purpose_not_in_force"


class GroundMissing(AccessDenied):
    """The person has not agreed, has withdrawn, or has not asked for this."""

    code = "ground_missing"


class Restricted(AccessDenied):
    """The person has frozen this data, or objected to this use: it may only be stored."""

    code = "restricted"

    def __init__(self) -> None:
        super().__init__(self.code)


class SubjectErased(AccessDenied):
    """The person was erased; only what the law keeps can still be opened."""

    code = "subject_erased"


class OtherSubject(AccessDenied):
    """The grant is for another person."""

    code = "other_subject"


class CaseMissing(AccessDenied):
    """No case was named, or one that is not about this person or not for this purpose."""

    code = "case_missing"


class CaseNotYours(AccessDenied):
    """The case is another role's work, or another member of staff has it."""

    code = "case_not_yours"


class CaseEnded(AccessDenied):
    """The case was theirs, and their part of it is over or has not begun."""

    code = "case_ended"


class BreakGlassDenied(AccessDenied):
    """The role may not open without a case, or names no person."""

    code = "break_glass_denied"


class ReasonTooShort(AccessDenied):
    """Who opens without a case says why in at least twenty characters."""

    code = "reason_too_short"


class NoticeGiven(Exception):
    """The person has been told, or there was nothing to tell."""


class NoticeWithheld(Exception):
    """The entry of the look is withheld from the person; what withholds it is ended first."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until

    def __str__(self) -> str:
        words = _(
            "Nothing was sent: two people withhold this look from the customer until %(day)s. "
            "End the withholding first: then the customer reads it and gets this mail by itself."
        )
        return str(words % {"day": date_format(timezone.localtime(self.until), "DATE_FORMAT")})


class DraftOpened(Exception):
    """A value was opened before it was saved: there is nothing sealed to open. A fault of the program."""


class NoPurpose(Exception):
    """A personal value was to be written while no grant covers it. A fault of the program, not a refusal."""


class NoUnitOfWork(Exception):
    """The gate opens only inside a unit of work. A fault of the program."""


class GrantClosed(Exception):
    """The grant was used after its end. A fault of the program."""
