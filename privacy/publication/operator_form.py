"""The form for who runs the shop and answers for the data (CHANGE-5, RIGHTS-5)."""

from __future__ import annotations

from typing import Any

from babel import Locale
from django import forms
from django.conf import settings
from django.forms.boundfield import BoundField
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from privacy.access.forms import StrictModelForm
from privacy.policy.actions import OPERATOR_FIELDS
from privacy.policy.models import OperatorIdentity

TEXTS = ("imprint", "terms")
TERMS_HELP = _("An empty line begins a new paragraph; a line that begins with # is a heading.")
GROUPS = {
    _("The company"): ("name", "address", "country", "email", "phone", "register", "tax_id"),
    _("Questions about data"): ("privacy_office", "privacy_email"),
    _("The authority that watches over us"): ("authority", "authority_address", "authority_url"),
    _("Reports about security"): ("security_email",),
}


def country_choices() -> list[tuple[str, str]]:
    """Every country by its name in the reader's language."""
    names = Locale.parse(get_language() or "en", sep="-").territories
    countries = [(code, name) for code, name in names.items() if len(code) == 2 and code.isalpha()]
    return [("", "—"), *sorted(countries, key=lambda country: country[1])]


class OperatorForm(StrictModelForm):
    """The newest identity to change. ``based_on`` is its number, so that nobody overwrites what they did not see."""

    submit_names = frozenset({"_save"})
    based_on = forms.IntegerField(widget=forms.HiddenInput)
    country = forms.ChoiceField(label=_("country"), required=False)
    authority_url = forms.URLField(label=_("complaint page of the authority"), required=False, assume_scheme="https")

    class Meta:
        model = OperatorIdentity
        fields = [name for name in OPERATOR_FIELDS if name not in TEXTS]
        help_texts = {
            "address": _("One line a row, without the country."),
            "privacy_office": _("The name of the office, not of a person."),
            "security_email": _("Shown on the security page and in security.txt."),
        }
        widgets = {
            "address": forms.Textarea(attrs={"rows": 3}),
            "authority_address": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_choices()  # type: ignore[attr-defined]
        self.initial["based_on"] = self.instance.number
        for language, name in settings.LANGUAGES:
            for text in TEXTS:
                self.fields[f"{text}_{language}"] = forms.CharField(
                    label=name,
                    required=False,
                    max_length=60_000,
                    help_text=TERMS_HELP,
                    initial=getattr(self.instance, text).get(language, ""),
                    widget=forms.Textarea(attrs={"rows": 8, "lang": language, "dir": "auto"}),
                )

    @property
    def groups(self) -> list[tuple[str, list[BoundField]]]:
        """(heading, fields) in the order of the page."""
        texts = {
            _("More for the imprint"): [f"imprint_{language}" for language, _name in settings.LANGUAGES],
            _("Terms of sale"): [f"terms_{language}" for language, _name in settings.LANGUAGES],
        }
        return [(str(heading), [self[name] for name in names]) for heading, names in (GROUPS | texts).items()]

    @property
    def values(self) -> dict[str, Any]:
        """What to publish, by name of the model's field."""
        cleaned = self.cleaned_data
        texts = {
            text: {language: words for language, _name in settings.LANGUAGES if (words := cleaned[f"{text}_{language}"])} for text in TEXTS
        }
        return {name: cleaned[name] for name in self.Meta.fields} | texts
