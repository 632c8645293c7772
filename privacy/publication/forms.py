"""What readers and staff fill in about versions of the policy (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.access.forms import StrictForm
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.models import NOTICE_PERIOD

PARAGRAPHS_HELP = _("An empty line begins a new paragraph.")
LONGEST_PARAGRAPH = 5_000


class CompareForm(StrictForm):
    """Two published versions to compare."""

    submit_names = frozenset({"page"})
    old = forms.TypedChoiceField(label=_("From version"), coerce=int)
    new = forms.TypedChoiceField(label=_("To version"), coerce=int)

    def __init__(self, numbers: Iterable[int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(number, _("Version %(number)s") % {"number": number}) for number in numbers]
        self.fields["old"].choices = self.fields["new"].choices = choices  # type: ignore[attr-defined]
        if len(choices) > 1:
            self.initial = {"old": choices[1][0], "new": choices[0][0]}

    def clean(self) -> Any:
        cleaned = super().clean()
        if cleaned and cleaned.get("old") is not None and cleaned.get("old") == cleaned.get("new"):
            self.add_error("new", _("Choose two different versions."))
        return cleaned


def paragraphs(text: str) -> list[str]:
    """Texts between empty lines, each on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip()]


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _area(label: Any, help_text: Any, rows: int, locale: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "lang": locale, "dir": "auto"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=40_000, widget=widget)


class WordsForm(StrictForm):
    """The words of one language of a draft. Empty ones are kept as missing; only the announcement needs them all."""

    submit_names = frozenset({"_save"})
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, words: dict[str, Any], locale: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parts = words["sections"]
        self.fields["title"] = forms.CharField(label=_("Title"), required=False, max_length=200, initial=words["title"])
        self.fields["summary"] = _area(_("In short"), _("One sentence a line."), 6, locale)
        self.initial["summary"] = "\n".join(words["summary"])
        for number, part in enumerate(self._parts):
            heading = forms.CharField(label=_("Heading"), required=False, max_length=200, initial=part["heading"])
            heading.widget.attrs |= {"lang": locale, "dir": "auto"}
            self.fields[f"heading_{number}"] = heading
            self.fields[f"paragraphs_{number}"] = _area(_("Paragraphs"), PARAGRAPHS_HELP, 10, locale)
            self.initial[f"paragraphs_{number}"] = "\n\n".join(part["paragraphs"])

    def clean(self) -> Any:
        cleaned = super().clean() or {}
        for number in range(len(self._parts)):
            if any(len(text) > LONGEST_PARAGRAPH for text in paragraphs(cleaned.get(f"paragraphs_{number}", ""))):
                self.add_error(f"paragraphs_{number}", _("One paragraph is too long. Divide it with an empty line."))
        return cleaned

    @property
    def parts(self) -> list[tuple[str, BoundField, BoundField]]:
        """(id, heading, paragraphs) of each part of the policy."""
        return [(part["id"], self[f"heading_{number}"], self[f"paragraphs_{number}"]) for number, part in enumerate(self._parts)]

    @property
    def words(self) -> dict[str, Any]:
        """What was entered, in the form that ``publish_policy`` takes."""
        cleaned = self.cleaned_data
        sections = [
            {**part, "heading": cleaned[f"heading_{number}"].strip(), "paragraphs": paragraphs(cleaned[f"paragraphs_{number}"])}
            for number, part in enumerate(self._parts)
        ]
        return {"title": cleaned["title"].strip(), "summary": lines(cleaned["summary"]), "sections": sections}


class PurposesForm(StrictForm):
    """The uses that a version allows."""

    submit_names = frozenset({"_purposes"})
    seen = forms.CharField(widget=forms.HiddenInput)
    purposes = forms.TypedMultipleChoiceField(
        label=_("Uses that the version allows"),
        choices=lambda: [(purpose.value, f"{purpose.label}: {PURPOSES[purpose].explanation}") for purpose in Purpose],
        coerce=Purpose,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("A policy without any use would stop the shop. Choose at least one.")},
    )


class AnnounceForm(StrictForm):
    """When the version takes effect. Days are whole ones in UTC, the first counts from midnight."""

    submit_names = frozenset({"_announce"})
    seen = forms.CharField(widget=forms.HiddenInput)
    effective_on = forms.DateField(label=_("In force from"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("effective_on", earliest_day())
        self.fields["effective_on"].widget.attrs["min"] = earliest_day().isoformat()
        self.fields["effective_on"].help_text = _("At least %(days)d days from now, counted from midnight UTC.") % {
            "days": NOTICE_PERIOD.days
        }

    def clean_effective_on(self) -> datetime:
        day: date = self.cleaned_data["effective_on"]
        if day < earliest_day():
            raise forms.ValidationError(_("That is too soon: people need at least %(days)d days."), params={"days": NOTICE_PERIOD.days})
        return datetime.combine(day, time(), tzinfo=UTC)


def earliest_day() -> date:
    """The first whole day after the notice period, with an hour to press the button in."""
    return (timezone.now() + NOTICE_PERIOD + timedelta(hours=1)).date() + timedelta(days=1)
