"""Asking: one unticked box a purpose, in plain words (COLLECT-3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from privacy.consent.statements import fingerprint
from privacy.declarations.purposes import PURPOSES, Purpose

PREFIX = "consent_"


class ConsentBox(forms.CheckboxInput):
    """Sends the fingerprint of the words beside it."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name, False)

    def format_value(self, value: Any) -> None:
        return None


class ConsentField(forms.BooleanField):
    """Yes only to the words shown: a box that was drawn with others (another language, a changed text) asks again."""

    def __init__(self, purpose: Purpose, locale: str) -> None:
        rule = PURPOSES[purpose]
        self.purpose = purpose
        self.essential = rule.essential
        self.fingerprint = fingerprint(purpose, locale)
        super().__init__(
            label=purpose.label,
            help_text=str(rule.explanation),
            required=rule.essential,
            initial=False,
            widget=ConsentBox(attrs={"value": self.fingerprint}),
            error_messages={"required": _("We cannot go on without this permission. You can withdraw it at any time.")},
        )

    def to_python(self, value: Any) -> bool:
        if value in (False, None, ""):
            return False
        if value != self.fingerprint:
            raise forms.ValidationError(_("These words have changed since you opened the page. Please read them and tick again."))
        return True


def consent_fields(purposes: Iterable[Purpose], locale: str) -> dict[str, ConsentField]:
    """A field per purpose named ``consent_<purpose>``; essential ones must be ticked to go on, none is pre-ticked.

    ``locale`` is the language in which the page is shown, and the one to give to ``give_consent``.
    """
    return {PREFIX + purpose.value: ConsentField(purpose, locale) for purpose in purposes}


def purposes_ticked(cleaned_data: Mapping[str, Any]) -> list[Purpose]:
    """The purposes whose box was ticked."""
    return [Purpose(name[len(PREFIX) :]) for name, yes in cleaned_data.items() if name.startswith(PREFIX) and yes]
