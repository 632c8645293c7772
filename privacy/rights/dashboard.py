"""Requests that wait for somebody to take them, on the staff's front page (RIGHTS-7)."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from privacy.access.assignment_pages import assignment_card
from privacy.policy.dashboard import Card, dashboard_card
from privacy.policy.roles import Actor
from privacy.rights.queries import OFFICERS, open_requests


@dashboard_card
def to_work_on(actor: Actor) -> Card | None:
    if actor.role not in OFFICERS:
        return None
    return assignment_card(_("Requests to work on"), open_requests(), actor, reverse("admin:privacy_request_changelist"))
