"""Raise and close alerts (PROTECT-2, RIGHTS-9)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from privacy.alerts.errors import AlertClosed, NotTheOffice, OwnAlert
from privacy.alerts.models import Alert, AlertKind, AlertNotice
from privacy.policy.roles import Actor, Role

WATCH = Actor.job("watch")
OFFICE = frozenset({Role.PRIVACY_OFFICER, Role.SECURITY})


@transaction.atomic
def raise_alert(
    *,
    kind: AlertKind,
    about: Reference | None = None,
    subject_id: UUID | None = None,
    actor_id: UUID | None = None,
    role: str = "",
    count: int = 1,
) -> Alert:
    """Have somebody look at this. The same fact while its alert is open counts that alert up by ``count``.

    ``actor_id`` is who did it, in which ``role``, ``subject_id`` whose data it is about. A new alert is mailed to
    the office once the transaction has committed; one that is counted up is not mailed again.
    """
    alert, is_new = Alert.objects.get_or_create(
        kind=kind,
        about_label=about.label if about else "",
        about_id=about.id if about else None,
        subject_id=subject_id,
        actor_id=actor_id,
        closed_at=None,
        defaults={"role": role, "count": count},
    )
    if is_new:
        AlertNotice(alert=alert).enqueue()
    else:
        Alert.objects.filter(pk=alert.pk).update(count=F("count") + count, repeated_at=timezone.now())
        alert.refresh_from_db()
    record(Event.ALERT_RAISED, by=WATCH, subject=subject_id, object=alert, case=about, outcome=alert.kind)
    return alert


@transaction.atomic
def close_alert(*, by: Actor, alert: Alert, outcome: Alert.Outcome, note: str = "") -> Alert:
    """End an alert with what was found; ``note`` names nobody. Raises NotTheOffice, OwnAlert, AlertClosed."""
    if by.role not in OFFICE:
        raise NotTheOffice
    if is_concerned(by, alert):
        raise OwnAlert
    locked = Alert.objects.select_for_update().get(pk=alert.pk)
    if not locked.is_open:
        raise AlertClosed
    locked.closed_at = timezone.now()
    locked.closed_by = by.id
    locked.outcome = outcome
    locked.note = note.strip()
    locked.save(update_fields=["closed_at", "closed_by", "outcome", "note"])
    record(Event.ALERT_CLOSED, by=by, subject=locked.subject_id, object=locked, case=locked.about, outcome=outcome)
    return locked


def is_concerned(actor: Actor, alert: Alert) -> bool:
    """The alert is about what this actor did, or about their own data."""
    return actor.id is not None and actor.id in (alert.actor_id, alert.subject_id)
