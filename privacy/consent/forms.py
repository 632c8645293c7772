"""Asking: one unticked box a purpose, in plain words (COLLECT-3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from privacy.declarations.purposes import PURPOSES, Purpose

PREFIX = "consent_"


def consent_fields(purposes: Iterable[Purpose], locale: str = "") -> dict[str, forms.BooleanField]:
    """A field per purpose named ``consent_<purpose>``; essential ones must be ticked to go on, none is pre-ticked."""
    return {PREFIX + purpose.value: _consent_field(purpose) for purpose in purposes}


def _consent_field(purpose: Purpose) -> forms.BooleanField:
    rule = PURPOSES[purpose]
    field = forms.BooleanField(
        label=purpose.label,
        help_text=str(rule.explanation),
        required=rule.essential,
        initial=False,
        error_messages={"required": _("We cannot go on without this permission. You can withdraw it at any time.")},
    )
    field.purpose = purpose  # type: ignore[attr-defined]
    field.essential = rule.essential  # type: ignore[attr-defined]
    return field


def purposes_ticked(cleaned_data: Mapping[str, Any]) -> list[Purpose]:
    """The purposes whose box was ticked."""
    return [Purpose(name[len(PREFIX) :]) for name, yes in cleaned_data.items() if name.startswith(PREFIX) and yes]
