"""Whose data an export is to hold, which kinds of it, and what for (COLLECT-5)."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from privacy.access.approvals.forms import ProposalForm
from privacy.access.overrides.queries import categories_open_now, purposes_open_now
from privacy.access.units import current_unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.staff_exports.people import cases_with_codes, exportable_choices


class ExportForm(ProposalForm):
    """Cases by their codes: nobody is exported by a search."""

    cases = forms.ChoiceField(label=_("Kind of case"))
    codes = forms.CharField(
        label=_("Their codes"),
        max_length=4000,
        help_text=_("One in a line, or with blanks between them."),
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off"}),
    )
    purpose = forms.TypedChoiceField(label=_("Use"), coerce=Purpose)
    categories = forms.TypedMultipleChoiceField(
        label=_("Kinds of data"),
        choices=Category.choices,
        coerce=Category,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind of data.")},
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(actor, *args, **kwargs)
        self._role = actor.role
        self.fields["cases"].choices = exportable_choices()  # type: ignore[attr-defined]
        purposes = purposes_open_now(current_unit(), actor.role)
        self.fields["purpose"].choices = [(purpose.value, purpose.label) for purpose in purposes]  # type: ignore[attr-defined]

    def clean(self) -> Any:
        cleaned = super().clean()
        self._find(cleaned)
        purpose = cleaned.get("purpose")
        if purpose and not set(cleaned.get("categories", ())) <= categories_open_now(current_unit(), self._role, purpose):
            self.add_error("categories", _("Your role may not open these kinds of data for this use."))
        return cleaned

    def _find(self, cleaned: dict[str, Any]) -> None:
        codes = set(re.split(r"[\s,;]+", cleaned.get("codes", "").strip().upper())) - {""}
        if not codes or "cases" not in cleaned:
            return
        if len(codes) > settings.STAFF_EXPORT_PEOPLE:
            text = _("One export holds at most %(number)d cases.") % {"number": settings.STAFF_EXPORT_PEOPLE}
            self.add_error("codes", text)
            return
        self.ids = sorted(str(id) for id in cases_with_codes(cleaned["cases"], codes).values())
        missing = len(codes) - len(self.ids)
        if missing:
            text = ngettext("%(number)d of these codes was not found.", "%(number)d of these codes were not found.", missing)
            self.add_error("codes", text % {"number": missing})

    def parameters(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "cases": given["cases"],
            "ids": self.ids,
            "purpose": given["purpose"].value,
            "categories": sorted(category.value for category in given["categories"]),
            "role": self._role.value,
        }
