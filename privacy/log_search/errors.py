"""Why the log is not searched, or a search is not kept (USE-3)."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _


class LogSearchRefused(Exception):
    """Base of all; nothing was changed."""

    words = _("Nothing was changed.")

    def __str__(self) -> str:
        return str(self.words)


class NotReader(LogSearchRefused, PermissionDenied):
    """This role does not read the log."""


class TooManyKept(LogSearchRefused):
    """A member of staff keeps at most as many as fit on the page."""

    words = _("You keep 20 searches already. Drop one first.")


class NameTaken(LogSearchRefused):
    """They keep another search under this name."""

    words = _("You keep a search under this name already.")
