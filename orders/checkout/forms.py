"""The one form of the checkout: country first, then only what that country's post needs (COLLECT-6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.checkout.addresses import ADDRESS_FIELDS, COUNTRY_NAMES, address_fields, invalid_address_fields
from orders.checkout.shipping import delivery_countries
from orders.payments.models import Method
from privacy.access.forms import StrictForm
from privacy.consent.forms import consent_fields, purposes_ticked
from privacy.declarations.purposes import Purpose

CHOOSE = {"required": _("Please choose one.")}

METHOD_NOTES = {
    Method.CARD: _("The bank sets the money aside at once."),
    Method.DECLINED: _("To see what happens when the bank says no."),
    Method.SLOW: _("To see what happens when the bank keeps us waiting."),
}


def country_choices() -> list[tuple[str, str]]:
    names = sorted(((code, str(COUNTRY_NAMES[code])) for code in delivery_countries()), key=lambda pair: pair[1])
    return [("", gettext("Choose a country")), *names]


def method_field() -> forms.ChoiceField:
    choices = [(method.value, f"{method.label}. {METHOD_NOTES[method]}") for method in Method]
    return forms.ChoiceField(label=_("How do you want to pay?"), choices=choices, widget=forms.RadioSelect, error_messages=CHOOSE)


CONTACT_FIELDS = ("name", "email")


def contact_fields() -> dict[str, forms.Field]:
    """Who orders, where no account says it."""
    return {
        "name": forms.CharField(
            label=_("Your name"),
            max_length=120,
            widget=forms.TextInput(attrs={"autocomplete": "name"}),
            error_messages={"required": _("Enter your name.")},
        ),
        "email": forms.EmailField(
            label=_("Email address"),
            max_length=254,
            help_text=_("Please check it once more: news of the order and the link to it go there."),
            widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
            error_messages={
                "required": _("Enter your email address."),
                "invalid": _("Enter an email address like name@example.com."),
            },
        ),
    }


class CheckoutForm(StrictForm):
    """``country`` decides the address fields; ``fields_for`` is the country they were last drawn for.

    ``total`` is the sum that the person saw, ``token`` makes the form place one order only. ``is_guest`` adds
    what an account would know.
    """

    submit_names = frozenset({"place", "change_country"})

    token = forms.UUIDField(widget=forms.HiddenInput)
    total = forms.IntegerField(widget=forms.HiddenInput, required=False)
    fields_for = forms.CharField(widget=forms.HiddenInput, required=False, max_length=2)
    country = forms.ChoiceField(label=_("Country"), error_messages=CHOOSE)

    def __init__(
        self, *args: Any, country: str, permissions: Iterable[Purpose], locale: str, is_guest: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if is_guest:
            self.fields |= contact_fields()
        self.delivery_country = country
        self.fields["country"].choices = country_choices()  # type: ignore[attr-defined]
        self.address = list(address_fields(country)) if country else []
        for field in self.address:
            self.fields[field.name] = _form_field(field)
        self.fields |= consent_fields(permissions, locale)
        self.fields["method"] = method_field()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.delivery_country:
            self._check_address(cleaned)
        return cleaned

    def _check_address(self, cleaned: dict[str, Any]) -> None:
        values = {field.name: cleaned.get(field.name, "") for field in self.address}
        for name in invalid_address_fields(self.delivery_country, values):
            if name in self.errors or not values.get(name):
                continue
            example = next(field.example for field in self.address if field.name == name)
            text = gettext("This does not look right for this country.")
            if example:
                text = gettext("Write it as in this example: %(example)s.") % {"example": example}
            self.add_error(name, text)

    @property
    def address_values(self) -> dict[str, str]:
        """The address of a valid form; fields left empty are absent."""
        return {name: self.cleaned_data[name] for name in ADDRESS_FIELDS if self.cleaned_data.get(name)}

    @property
    def permissions_given(self) -> list[Purpose]:
        return purposes_ticked(self.cleaned_data)

    @property
    def contact(self) -> dict[str, str]:
        """Name and mailbox as a guest typed them."""
        return {name: self.cleaned_data[name] for name in CONTACT_FIELDS}

    def contact_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in CONTACT_FIELDS if name in self.fields]

    def delivery_fields(self) -> list[tuple[forms.BoundField, Any]]:
        """Bound field and reason, in the order in which they are asked."""
        return [(self[field.name], field.reason) for field in self.address]

    def permission_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("consent_")]


def _form_field(field: Any) -> forms.Field:
    attributes = {"autocomplete": f"shipping {field.autocomplete}"}
    errors = {"required": gettext("Please fill this in.")}
    if field.choices:
        return forms.ChoiceField(
            label=field.label,
            required=field.required,
            error_messages=errors,
            choices=[("", gettext("Choose")), *field.choices],
            widget=forms.Select(attrs=attributes),
        )
    return forms.CharField(
        label=field.label,
        required=field.required,
        error_messages=errors,
        max_length=field.max_length,
        help_text=gettext("For example %(example)s") % {"example": field.example} if field.example else "",
        widget=forms.TextInput(attrs=attributes),
    )
