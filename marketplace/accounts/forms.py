"""What account pages ask for: nothing that they do not need."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.codes import APP_DIGITS, RECOVERY_DIGITS, plain_digits
from privacy.access.forms import StrictForm
from privacy.consent.forms import consent_fields, purposes_ticked
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import TokenScope
from privacy.rights.forms import PASSWORD_MAX, PasswordForm

ASKED_AT_SIGN_UP = (Purpose.ACCOUNT, Purpose.IMPROVEMENT)


class NewPasswordField(forms.CharField):
    """A password to be chosen: long rather than complicated; checked against the common ones."""

    def __init__(self, label: Any = None) -> None:
        super().__init__(
            label=label or _("Password"),
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


class CodeField(forms.CharField):
    """Digits of one of these lengths, in any script, with or without blanks and dashes."""

    def __init__(self, lengths: Collection[int], help_text: Any, wrong: Any) -> None:
        self.lengths = lengths
        super().__init__(
            label=_("Code"),
            help_text=help_text,
            max_length=40,
            widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "dir": "ltr"}),
            error_messages={"required": _("Enter the code."), "invalid": wrong},
        )

    def clean(self, value: Any) -> str:
        digits = plain_digits(super().clean(value))
        if len(digits) not in self.lengths or not (digits.isascii() and digits.isdigit()):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return digits


def app_code_field() -> CodeField:
    """A code from the authenticator app alone: to show that it is set up."""
    wrong = _("The code has six digits.")
    return CodeField({APP_DIGITS}, _("Six digits from your authenticator app. They change every half minute."), wrong)


def any_code_field() -> CodeField:
    """A code from the authenticator app, or one of the recovery codes."""
    wrong = _("A code of the app has 6 digits, a recovery code 16.")
    return CodeField({APP_DIGITS, RECOVERY_DIGITS}, _("Six digits from your authenticator app, or one of your recovery codes."), wrong)


class AppCodeForm(StrictForm):
    code = app_code_field()


class CodeForm(StrictForm):
    code = any_code_field()


class SetUpForm(PasswordForm):
    """Turns the second step on: the password, because it can lock somebody out, and the app's first code."""

    code = app_code_field()
    field_order = ("code", "password")


class ProofForm(PasswordForm):
    """The password and the second step again, before something that either protects is changed."""

    code = any_code_field()


class ChangePasswordForm(PasswordForm):
    new_password = NewPasswordField(_("New password"))
    field_order = ("password", "new_password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Your present password")


class InvitationForm(StrictForm):
    """What an invited member of staff chooses."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name.")},
    )
    password = NewPasswordField()


class RecoveryTextForm(StrictForm):
    """The codes on the page, to be had as a file: they come back from the page because they are stored nowhere."""

    codes = forms.RegexField(r"^[0-9]{4}(-[0-9]{4}){3}( [0-9]{4}(-[0-9]{4}){3}){0,9}$", widget=forms.HiddenInput, max_length=200)


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


class CancelChangeForm(StrictForm):
    submit_names = frozenset({"change"})


class CompleteChangeForm(PasswordForm):
    """Stands in for an answer from the old mailbox: the password, and the second step of whoever has one."""

    submit_names = frozenset({"change"})

    def __init__(self, has_second_factor: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_second_factor:
            self.fields["code"] = any_code_field()


class LocaleForm(StrictForm):
    locale = forms.ChoiceField(label=_("Language of pages and mails"), choices=settings.LANGUAGES)
    submit_names = frozenset({"change"})


class LanguageForm(LocaleForm):
    """The choice in the footer, which knows its page."""

    submit_names = frozenset({"next"})


class TokenForm(PasswordForm):
    """What a program may do, and for how long: nothing is ticked beforehand, and the shortest time is."""

    scopes = forms.MultipleChoiceField(
        label=_("What may the program do?"),
        choices=TokenScope,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one.")},
    )
    days = forms.TypedChoiceField(
        label=_("For how long?"),
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("One year"))],
        coerce=int,
        initial=30,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how long it should work.")},
    )
    field_order = ("scopes", "days", "password")
