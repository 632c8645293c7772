from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.guests.models import LeadsTo
from orders.lifecycle.models import CODE_ALPHABET
from privacy.access.forms import StrictForm

CODE_LENGTH = 10


class CodeField(forms.CharField):
    """An order number, forgiving about spaces, dashes and small letters."""

    default_error_messages = {
        "required": _("Enter the order number. It stands in our mail about the order."),
        "shape": _("An order number has ten letters and digits, for example ABCD234567."),
    }

    def to_python(self, value: object) -> str:
        text = str(super().to_python(value) or "").replace(" ", "").replace("-", "").upper()
        if text and (len(text) != CODE_LENGTH or not set(text) <= set(CODE_ALPHABET)):
            raise forms.ValidationError(self.error_messages["shape"])
        return text


def email_field() -> forms.EmailField:
    return forms.EmailField(
        label=_("Email address of the order"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={
            "required": _("Enter your email address."),
            "invalid": _("Enter an email address like name@example.com."),
        },
    )


class LookupForm(StrictForm):
    """Which order, and the mailbox that its link goes to if both belong together."""

    code = CodeField(label=_("Order number"), max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
    email = email_field()
    leads_to = forms.ChoiceField(choices=LeadsTo, required=False, widget=forms.HiddenInput)

    def clean_leads_to(self) -> str:
        return self.cleaned_data["leads_to"] or LeadsTo.ORDER
