"""Forms that refuse what they did not ask for (COLLECT-3)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from privacy.declarations import masks

IGNORED = frozenset({"csrfmiddlewaretoken", "next"})


class _Strict(forms.BaseForm):
    """``submit_names`` are the names of the form's buttons."""

    submit_names: frozenset[str] = frozenset({"submit"})

    def clean(self) -> Any:
        cleaned = super().clean()
        known = {self.add_prefix(name) for name in self.fields} | IGNORED | self.submit_names
        unknown = [name for name in (*self.data, *self.files) if name not in known and name.startswith(self._own_prefix)]
        if unknown:
            raise forms.ValidationError(_("This form holds fields that we did not ask for. Please reload the page."))
        return cleaned

    @property
    def _own_prefix(self) -> str:
        return f"{self.prefix}-" if self.prefix else ""


class StrictForm(_Strict, forms.Form):
    """A form in which an unknown field is an error, and so is a mask that stands where text is wanted."""

    def clean(self) -> Any:
        cleaned = super().clean()
        for name in [name for name, value in self.cleaned_data.items() if isinstance(value, str) and value in masks.ALL]:
            self.add_error(name, forms.ValidationError(masks.LEFT_IN, code="mask"))
        return cleaned


class StrictModelForm(_Strict, forms.ModelForm):
    """A model form in which an unknown field is an error."""
