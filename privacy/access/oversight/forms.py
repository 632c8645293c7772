"""What was found, and a note on it (RIGHTS-9, COLLECT-3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.forms import refuse_names
from privacy.access.forms import StrictForm


class FindingForm(StrictForm):
    """The outcome of looking at an alert or at somebody's opening."""

    outcome = forms.ChoiceField(label=_("What did you find?"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note (optional)"),
        required=False,
        max_length=300,
        validators=[refuse_names],
        help_text=_("For your colleagues and auditors. Name nobody, and write nothing that somebody's data says."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    submit_names = frozenset({"_find"})

    def __init__(self, outcomes: Iterable[tuple[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = list(outcomes)  # type: ignore[attr-defined]
