"""The open alerts on the staff's front page (PROTECT-2, RIGHTS-9)."""

from __future__ import annotations

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from privacy.alerts.models import AlertKind
from privacy.alerts.queries import open_alerts
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.roles import Actor, Role

VIEWERS = frozenset({Role.PRIVACY_OFFICER, Role.SECURITY, Role.AUDITOR})


@dashboard_card
def alerts(actor: Actor) -> Card | None:
    if actor.role not in VIEWERS:
        return None
    counts = dict(open_alerts().values_list("kind").annotate(Count("pk")))
    number = sum(counts.values())
    return Card(
        Section.NEEDS_YOU,
        _("Open alerts"),
        number,
        _("Somebody has to look at each, and say what came of it."),
        State.LATE if number else State.GOOD,
        reverse("admin:privacy_alert_changelist") + "?open=yes",
        [(kind.label, counts[kind]) for kind in AlertKind if kind in counts],
    )
