"""Template access to sealed values: only through a grant (PROTECT-4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template

register = template.Library()


@register.filter
def opened(value: Any, grant: Any) -> str:
    """``{{ record.name|opened:grant }}``: the plain value, empty text for an empty field, words for an unreadable one."""
    shown: str = grant.show(value)
    return shown


@register.filter
def stamp(moment: date) -> str:
    """``<time datetime="{{ moment|stamp }}">``: a day, or a moment to the second, since HTML refuses microseconds."""
    return moment.isoformat(timespec="seconds") if isinstance(moment, datetime) else moment.isoformat()
