"""What staff fill in about holds (RIGHTS-8)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.forms import ProposalForm
from privacy.access.forms import StrictForm
from privacy.retention.models import Hold
from privacy.vault.models import Subject

LONGEST = timedelta(days=3653)


class HoldForm(StrictForm):
    """Whose data is to stay, why, and until when."""

    person = forms.UUIDField(label=_("Person"), help_text=_("The random id, as it stands in the log."))
    ground = forms.TypedChoiceField(label=_("Law"), choices=Hold.Ground.choices, coerce=Hold.Ground)
    until = forms.DateField(label=_("Until"), help_text=_("It ends by itself on this day."), widget=forms.DateInput(attrs={"type": "date"}))

    def clean_person(self) -> Subject:
        person = Subject.objects.filter(pk=self.cleaned_data["person"], erased_at=None).first()
        if person is None:
            raise forms.ValidationError(_("Nobody whose data we hold has this id."))
        return person

    def clean_until(self) -> datetime:
        end = timezone.make_aware(datetime.combine(self.cleaned_data["until"], time.min))
        if not timezone.now() < end <= timezone.now() + LONGEST:
            raise forms.ValidationError(_("Choose a day in the next ten years."))
        return end


class ReleaseForm(ProposalForm):
    """The page of the hold brings its id."""

    hold = forms.ModelChoiceField(Hold.objects.all(), widget=forms.HiddenInput)

    def parameters(self) -> dict[str, Any]:
        return {"hold": str(self.cleaned_data["hold"].pk)}
