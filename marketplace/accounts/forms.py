"""What account pages ask for: nothing that they do not need."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from privacy.access.forms import StrictForm
from privacy.consent.forms import consent_fields, purposes_ticked
from privacy.declarations.purposes import Purpose
from privacy.rights.forms import PASSWORD_MAX, PasswordForm

ASKED_AT_SIGN_UP = (Purpose.ACCOUNT, Purpose.IMPROVEMENT)


class NewPasswordField(forms.CharField):
    """A password to be chosen: long rather than complicated; checked against the common ones."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Password"),
            help_text=_("At least 12 characters. Four or five words make a good one. A password manager may choose it."),
            max_length=PASSWORD_MAX,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            error_messages={"required": _("Choose a password.")},
        )

    def validate(self, value: str) -> None:
        super().validate(value)
        validate_password(value)


def email_field(label: Any = None, autocomplete: str = "email") -> forms.EmailField:
    return forms.EmailField(
        label=label or _("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": autocomplete, "spellcheck": "false"}),
        error_messages={
            "required": _("Enter your email address."),
            "invalid": _("Enter an email address like name@example.com."),
        },
    )


def current_password_field(help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        help_text=help_text,
        max_length=PASSWORD_MAX,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )


class SignUpForm(StrictForm):
    """An account, and each permission on its own, none ticked beforehand."""

    email = email_field()
    name = forms.CharField(
        label=_("Name"),
        help_text=_("How we greet you. It does not have to be your full name."),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter the name we should use.")},
    )
    password = NewPasswordField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.permissions = consent_fields(ASKED_AT_SIGN_UP, get_language() or "en")
        self.fields.update(self.permissions)

    @property
    def details(self) -> list[Any]:
        return [self[name] for name in self.fields if name not in self.permissions]

    @property
    def choices(self) -> list[Any]:
        return [self[name] for name in self.permissions]

    @property
    def purposes(self) -> list[Purpose]:
        return purposes_ticked(self.cleaned_data)


class SignInForm(StrictForm):
    email = email_field(autocomplete="username")
    password = current_password_field()


class ConfirmForm(StrictForm):
    """Asked of whoever follows the link, so that nobody confirms an account that somebody else opened for them."""

    password = current_password_field(_("The one you chose when you created this account."))


class EmailForm(StrictForm):
    """Asks for a new password."""

    email = email_field(autocomplete="username")


class NewPasswordForm(StrictForm):
    password = NewPasswordField()


class CodeForm(StrictForm):
    """A code from the authenticator app."""

    code = forms.RegexField(
        r"^\s*[0-9]{3}\s?[0-9]{3}\s*$",
        label=_("Code"),
        help_text=_("Six digits from your authenticator app. They change every half minute."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={
            "required": _("Enter the code from your app."),
            "invalid": _("The code has six digits."),
        },
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class NameForm(StrictForm):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter the name we should use.")},
    )
    submit_names = frozenset({"change"})


class NewEmailForm(PasswordForm):
    """The mailbox takes an account over, so the session alone does not change it (ASVS 5.0 7.5.1)."""

    email = email_field(_("New email address"))
    field_order = ("email", "password")
    submit_names = frozenset({"change"})


class LocaleForm(StrictForm):
    locale = forms.ChoiceField(label=_("Language of pages and mails"), choices=settings.LANGUAGES)
    submit_names = frozenset({"change"})


class LanguageForm(LocaleForm):
    """The choice in the footer, which knows its page."""

    submit_names = frozenset({"next"})
