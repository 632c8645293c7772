"""Why an alert stays as it is; the text of each is for staff and names nobody (RIGHTS-9)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class AlertRefused(Exception):
    """Base of all; nothing was changed."""

    words: str | Promise = _("Nothing was changed: this is no longer possible.")

    def __str__(self) -> str:
        return str(self.words)


class AlertClosed(AlertRefused):
    """Somebody closed it first."""

    words = _("Nothing was changed: somebody has closed this alert already.")


class OwnAlert(AlertRefused):
    """It is about what this very actor did, or about their own data."""

    words = _("Nothing was changed: this alert is about you, so somebody else has to look at it.")


class NotTheOffice(AlertRefused):
    """Only privacy officers and security close alerts."""

    words = _("Nothing was changed: your role does not close alerts.")
