"""What staff fill in to search the log, and to keep a search (USE-3)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.events import Event
from audit.pages import PLACE
from privacy.access.approvals.forms import refuse_names
from privacy.access.forms import StrictForm
from privacy.declarations.purposes import Purpose
from privacy.log_search.models import NAME_MAX
from privacy.log_search.searches import FILTERS, ROLES, LogSearch

ONE_WORD = r"\A[A-Za-z0-9_.-]{1,80}\Z"


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


def _events() -> list[tuple[str, list[tuple[str, str]]]]:
    """By the part of the site that they happen in, by their names in the log."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for event in sorted(Event):
        part, _dot, rest = event.value.partition(".")
        groups.setdefault(part, []).append((event.value, rest))
    return list(groups.items())


class LogSearchForm(StrictForm):
    """The filters, as they stand in the address; empty ones narrow nothing."""

    person = forms.UUIDField(label=_("Person"), required=False, help_text=_("Their random id."))
    actor = forms.RegexField(ONE_WORD, label=_("Who did it"), required=False, help_text=_("Their random id, or the name of a job."))
    role = forms.ChoiceField(label=_("In which role"), required=False, choices=[("", _("any")), *ROLES])
    purpose = forms.ChoiceField(label=_("What for"), required=False, choices=[("", _("anything")), *Purpose.choices])
    case = forms.CharField(label=_("Order, message or request"), required=False, max_length=40, help_text=_("Its code or its id."))
    event = forms.ChoiceField(label=_("What happened"), required=False)
    outcome = forms.RegexField(
        ONE_WORD,
        label=_("How it ended"),
        required=False,
        help_text=_("“refused” finds whatever says so, in what happened or in how it ended."),
    )
    since = _day(_("From"))
    until = _day(_("Until"))
    before = forms.RegexField(PLACE, required=False, widget=forms.HiddenInput)
    after = forms.RegexField(PLACE, required=False, widget=forms.HiddenInput)
    beyond = forms.RegexField(PLACE, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["event"].choices = [("", _("anything")), *_events()]  # type: ignore[attr-defined]

    def clean(self) -> Any:
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day is before the first."))
        return cleaned

    @property
    def search(self) -> LogSearch:
        """After ``is_valid()``."""
        return LogSearch(**{name: self.cleaned_data[name] for name in FILTERS if self.cleaned_data[name]})

    @property
    def place(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("before", "after", "beyond")}


class KeepForm(StrictForm):
    """A name for the search that stands in the address."""

    name = forms.CharField(label=_("Keep this search as"), max_length=NAME_MAX, validators=[refuse_names])
    submit_names = frozenset({"_keep"})


class DropForm(StrictForm):
    """Which of one's own searches goes."""

    search = forms.UUIDField(widget=forms.HiddenInput)
    submit_names = frozenset({"_drop"})


class MailboxForm(StrictForm):
    """An address, which has no place in a URL."""

    email = forms.EmailField(
        label=_("Find a person by exact email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    submit_names = frozenset({"_find"})
