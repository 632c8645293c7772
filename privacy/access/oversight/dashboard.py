"""Reviews and closures on the staff's front page (PROTECT-3, USE-3)."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from privacy.access.oversight.actions import LIFTERS, REVIEWERS
from privacy.access.oversight.queries import open_closures, open_reviews, overdue_reviews
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.roles import Actor


@dashboard_card
def reviews(actor: Actor) -> Card | None:
    if actor.role not in REVIEWERS:
        return None
    number, late = open_reviews().count(), overdue_reviews().count()
    overdue = ngettext("%(number)d is overdue.", "%(number)d are overdue.", late) % {"number": late}
    return Card(
        Section.NEEDS_YOU,
        _("Looks to be reviewed"),
        number,
        overdue if late else _("Drawn by lot among what staff opened, and every emergency."),
        State.LATE if late else State.WATCH if number else State.GOOD,
        reverse("admin:privacy_review_changelist") + "?open=yes",
    )


@dashboard_card
def closures(actor: Actor) -> Card | None:
    if actor.role not in LIFTERS:
        return None
    number = open_closures().count()
    return Card(
        Section.NEEDS_YOU,
        _("Staff who may open nobody"),
        number,
        _("They reached the limit of their role, and wait until you let them go on."),
        State.LATE if number else State.GOOD,
        reverse("admin:privacy_openingclosure_changelist") + "?open=yes",
    )
