"""What an exception to the matrix is to open, for whom and how long (PROTECT-3)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.forms import ProposalForm
from privacy.access.overrides.models import AT_MOST_DAYS
from privacy.access.overrides.queries import OVERRIDABLE
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose


class OverrideForm(ProposalForm):
    role = forms.ChoiceField(label=_("Role"), choices=[(role.value, role.label) for role in OVERRIDABLE])
    purpose = forms.TypedChoiceField(label=_("Use"), choices=Purpose.choices, coerce=Purpose)
    categories = forms.TypedMultipleChoiceField(
        label=_("Kinds of data to open as well"),
        choices=Category.choices,
        coerce=Category,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind of data.")},
    )
    days = forms.IntegerField(label=_("For how many days"), min_value=1, max_value=AT_MOST_DAYS, initial=1)

    def clean(self) -> Any:
        cleaned = super().clean()
        purpose = cleaned.get("purpose")
        if purpose and not set(cleaned.get("categories", ())) <= PURPOSES[purpose].categories:
            self.add_error("categories", _("Our policy does not allow these kinds of data for this use."))
        return cleaned

    def parameters(self) -> dict[str, Any]:
        given = self.cleaned_data
        categories = sorted(category.value for category in given["categories"])
        return {"role": given["role"], "purpose": given["purpose"].value, "categories": categories, "days": given["days"]}
