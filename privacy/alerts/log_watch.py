"""Somebody is told when the log does not hold, has not been verified or binds nothing any more (USE-3, PROTECT-2)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from audit.models import Verification
from audit.queries import log_health
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import Alert, AlertKind

LOOKED_BACK = timedelta(days=1)


def watch_log() -> None:
    """Raise what is wrong with the log now; what is open already is counted up.

    A failure that a good verification has answered since is raised, too, if nobody has been told of it.
    """
    health = log_health()
    if not health.holds or _is_untold():
        raise_alert(kind=AlertKind.LOG_FAILED)
    if not health.is_verified:
        raise_alert(kind=AlertKind.LOG_UNVERIFIED)
    if not health.is_integrated:
        raise_alert(kind=AlertKind.LOG_WAITING)


def _is_untold() -> bool:
    lately = Verification.objects.filter(result=Verification.Result.FAILED, finished_at__gt=timezone.now() - LOOKED_BACK)
    newest = lately.order_by("-finished_at").first()
    return newest is not None and not Alert.objects.filter(kind=AlertKind.LOG_FAILED, repeated_at__gte=newest.finished_at).exists()
