"""Why a request is refused; no message names a value (RIGHTS-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from privacy.rights.models import Request


class RightsError(Exception):
    """Base of all."""


class NotYourData(RightsError, PermissionDenied):
    """Only the person themselves can ask for this."""


class AlreadyRequested(RightsError):
    """The same request is open; ``request`` is that one."""

    def __init__(self, request: Request) -> None:
        super().__init__("the same request is open")
        self.request = request


class TooLate(RightsError):
    """The request has begun or ended and cannot be canceled."""


class NotCorrectable(RightsError):
    """This field is not the person's to change here, or its record is gone."""


class NothingChosen(RightsError):
    """No kind of data was named, or a use to which nobody can object."""


class NotYourDecision(RightsError, PermissionDenied):
    """Only the privacy officer decides this."""


class CopyNotReady(RightsError):
    """The copy is still being made, or was never finished."""


class CopyGone(RightsError):
    """The copy's time is over and its file is deleted."""


class WrongPassword(RightsError):
    """The password given again is not this account's."""


class LinkTooOld(RightsError):
    """A guest followed their link too long ago for this step; a new one stands in for the password."""


class TooManyAttempts(RightsError):
    """The password was wrong too often; wait before the next try."""


class LeftoversFound(RightsError):
    """An erasure left something behind; it is not finished and tries again."""
