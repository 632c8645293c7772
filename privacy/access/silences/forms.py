"""Which entries are withheld, under which law, and until when (USE-3)."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.errors import PlanImpossible
from privacy.access.approvals.forms import ProposalForm
from privacy.access.silences.actions import ENTRIES_AT_MOST, LONGEST, is_about, plan_silence
from privacy.access.silences.models import Silence

NOT_LOOKS = _("Not all of these are looks at one person whose data we hold. What was passed on, changed or deleted is always shown.")


class SilenceForm(ProposalForm):
    entries = forms.CharField(
        label=_("Log entries"),
        max_length=40 * ENTRIES_AT_MOST,
        help_text=_("Their ids, one in a line. All of them looks at the same person."),
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
    )
    ground = forms.TypedChoiceField(label=_("Law"), choices=Silence.Ground.choices, coerce=Silence.Ground)
    until = forms.DateField(
        label=_("Until"),
        help_text=_("On this day they appear by themselves. At most six months from now."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, actor: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(actor, *args, **kwargs)
        self._actor = actor

    def clean_entries(self) -> list[str]:
        try:
            return sorted({str(UUID(id)) for id in re.split(r"[\s,;]+", self.cleaned_data["entries"].strip())})
        except ValueError:
            raise forms.ValidationError(_("One of these is no id of a log entry.")) from None

    def clean_until(self) -> datetime:
        end = timezone.make_aware(datetime.combine(self.cleaned_data["until"], time.min))
        if not timezone.now() < end <= timezone.now() + LONGEST:
            raise forms.ValidationError(_("Choose a day in the next six months."))
        return end

    def clean(self) -> Any:
        cleaned = super().clean()
        if not self.errors:
            self._refuse_impossible()
        return cleaned

    def _refuse_impossible(self) -> None:
        if is_about(self._actor, self.parameters()):
            self.add_error("entries", _("You looked yourself, so somebody else has to ask for this."))
            return
        try:
            plan_silence(self.parameters())
        except PlanImpossible:
            self.add_error("entries", NOT_LOOKS)

    def parameters(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {"entries": given["entries"], "ground": given["ground"].value, "until": f"{given['until']:%Y-%m-%dT%H:%M:%SZ}"}
