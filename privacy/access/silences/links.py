"""Looks as staff find them in the log: when, by which role, and what it was (USE-3)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit.models import Entry
from privacy.access.approvals.kinds import Link
from privacy.policy.roles import Role


def entry_links(ids: Iterable[UUID | str]) -> list[Link]:
    """The page of each of these entries, oldest first, in one query."""
    return [
        (_words(entry), reverse("admin:audit_entry_change", args=[entry.pk]))
        for entry in Entry.objects.filter(pk__in=list(ids)).order_by("pk")
    ]


def _words(entry: Entry) -> str:
    return _("%(moment)s UTC, %(role)s: %(event)s") % {
        "moment": date_format(entry.at, "DATETIME_FORMAT"),
        "role": Role(entry.actor_role).label if entry.actor_role in Role else entry.actor_role,
        "event": entry.event,
    }
