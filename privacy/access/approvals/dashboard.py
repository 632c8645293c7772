"""What waits for a second person, on the staff's front page (PROTECT-3)."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.kinds import proposal_kinds
from privacy.access.approvals.queries import waiting_for
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.roles import Actor


@dashboard_card
def second_person(actor: Actor) -> Card | None:
    if not any(actor.role in kind.approvers for kind in proposal_kinds()):
        return None
    number = waiting_for(actor).count()
    return Card(
        Section.NEEDS_YOU,
        _("Needs a second person"),
        number,
        _("A colleague asked for something that nobody may do alone. Read the plan, then approve or refuse it."),
        State.WATCH if number else State.GOOD,
        reverse("admin:privacy_proposal_changelist") + "?waits=for-me",
    )
