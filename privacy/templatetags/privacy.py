"""Template access to sealed values: only through a grant (PROTECT-4)."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def opened(value: Any, grant: Any) -> str:
    """``{{ record.name|opened:grant }}``: the plain value, or empty text for an empty field."""
    return "" if value is None else grant.open(value)
