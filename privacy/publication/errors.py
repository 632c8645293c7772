"""Why a draft of the policy is refused (CHANGE-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from privacy.policy.errors import PolicyError

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class PublicationError(PolicyError):
    """Base of all; ``words`` say it to staff."""

    words: _StrPromise


class DraftOpen(PublicationError):
    """There is an open draft already."""

    words = _("There is a draft already. Go on with it, or discard it first.")


class DraftEnded(PublicationError):
    """The draft was announced or discarded."""

    words = _("This draft was announced or discarded. Nothing was changed.")


class DraftIncomplete(PublicationError):
    """A language lacks words."""

    words = _("Some words are still missing. A version is announced in all languages or not at all.")


class NothingChanged(PublicationError):
    """The draft says what the version in force says."""

    words = _("The draft does not differ from the version in force. There is nothing to announce.")


class AnnouncementPending(PublicationError):
    """Another version is announced and not in force yet."""

    words = _("Another version is announced and not in force yet. Wait until it is, or withdraw it first.")
