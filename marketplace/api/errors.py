"""Why a call is refused before any room hears of it; no message names a value."""

from __future__ import annotations


class CallRefused(Exception):
    """Base of all."""


class StaffRefused(CallRefused):
    """Members of staff work on the staff site; the interface is for people and their own data."""


class ScopeMissing(CallRefused):
    """The token was not made for this."""


class SessionNeeded(CallRefused):
    """This wants the password again, in a browser's session; a token is not enough."""


class CrossSiteCall(CallRefused):
    """A call in a browser's session came without the proof that our own page sent it."""


class ParameterUnknown(CallRefused):
    """The address holds a query parameter that this call does not take; ``known`` are those it takes."""

    def __init__(self, known: str) -> None:
        super().__init__("unknown query parameter")
        self.known = known


class KeyMissing(CallRefused):
    """A call that makes or changes something came without its Idempotency-Key."""


class KeyMalformed(CallRefused):
    """The Idempotency-Key has a form that we do not take."""


class KeyReused(CallRefused):
    """The same Idempotency-Key came before, with another call."""


class CallUnderWay(CallRefused):
    """The first call with this Idempotency-Key has not been answered yet."""
