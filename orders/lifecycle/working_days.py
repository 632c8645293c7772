"""Days on which somebody works here: Monday to Friday. Public holidays are not known, so what is told counts as "mostly"."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone

SATURDAY = 5


def working_day_after(moment: datetime, days: int) -> date:
    """The working day that comes ``days`` working days after the day of ``moment``."""
    day = timezone.localtime(moment).date()
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < SATURDAY
    return day
