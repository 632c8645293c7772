"""Announcements as an Atom feed (RFC 4287), so that nobody has to come and look (CHANGE-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from privacy.policy.models import PolicyVersion
from privacy.policy.operator import operator
from privacy.policy.queries import published_versions

LENGTH = 50


@dataclass(frozen=True)
class News:
    """A version announced, or its announcement withdrawn."""

    version: PolicyVersion
    at: datetime
    is_withdrawal: bool


def news() -> list[News]:
    """Newest first, in one query."""
    versions = published_versions()
    found = [News(version, version.announced_at, False) for version in versions]
    withdrawals = [getattr(version, "withdrawal", None) for version in versions]
    found += [News(withdrawal.version, withdrawal.withdrawn_at, True) for withdrawal in withdrawals if withdrawal is not None]
    return sorted(found, key=lambda item: item.at, reverse=True)[:LENGTH]


class AnnouncementFeed(Feed):
    """The newest announcements and withdrawals; addresses are the site's own, whatever host was asked."""

    feed_type = Atom1Feed
    title = gettext_lazy("Changes of our privacy policy")
    subtitle = gettext_lazy("Each new version, announced before it counts.")

    def link(self) -> str:
        return _address("privacy:announcements")

    def feed_url(self) -> str:
        return _address("privacy:announcements-feed")

    def author_name(self) -> str:
        return operator().name or str(_("Marketplace"))

    def items(self) -> list[News]:
        return news()

    def item_title(self, item: News) -> str:
        words = (
            _("Version %(number)d of our privacy policy was withdrawn")
            if item.is_withdrawal
            else _("Version %(number)d of our privacy policy")
        )
        return words % {"number": item.version.number}

    def item_description(self, item: News) -> str:
        """Atom calls it HTML, so it is escaped."""
        words = _("It will not take effect.") if item.is_withdrawal else _("In force from %(day)s.")
        return escape(words % {"day": date_format(item.version.effective_at, "DATE_FORMAT")})

    def item_link(self, item: News) -> str:
        return _address("privacy:announcement", item.version.number)

    def item_guid(self, item: News) -> str:
        return self.item_link(item) + ("#withdrawn" if item.is_withdrawal else "")

    def item_pubdate(self, item: News) -> datetime:
        return item.at

    item_updateddate = item_pubdate


def _address(page: str, *arguments: Any) -> str:
    return settings.SITE_URL + reverse(page, args=arguments)
