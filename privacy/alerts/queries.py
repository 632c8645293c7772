"""Alerts as pages and cards ask for them (PROTECT-2)."""

from __future__ import annotations

from django.db.models import QuerySet

from privacy.alerts.models import Alert


def open_alerts() -> QuerySet[Alert]:
    return Alert.objects.filter(closed_at=None)
