"""Why an opening or a judgment is refused; the text of the second kind is for staff and names nobody (PROTECT-3)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.access.errors import AccessDenied


class SoftLimit(AccessDenied):
    """This actor opened many people within the hour, and has to say that they need more."""

    code = "soft_limit"


class HardLimit(AccessDenied):
    """This actor may open nobody until a privacy officer lets them go on."""

    code = "hard_limit"


class OversightRefused(Exception):
    """Base of all; nothing was changed."""

    words: str | Promise = _("Nothing was changed: this is no longer possible.")

    def __str__(self) -> str:
        return str(self.words)


class NotOverseer(OversightRefused):
    """This role does not judge what staff open."""

    words = _("Nothing was changed: your role does not decide this.")


class OwnLook(OversightRefused):
    """It is about what this very actor did, or about their own data."""

    words = _("Nothing was changed: this is about you, so somebody else has to decide it.")


class AlreadyDecided(OversightRefused):
    """Somebody decided it first."""

    words = _("Nothing was changed: somebody has decided this already.")
