"""What people fill in to use their rights (RIGHTS-1, RIGHTS-3)."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from privacy.access.forms import StrictForm

PASSWORD_MAX = 200


class ButtonForm(StrictForm):
    """Nothing to fill in: the button is the answer."""


class PasswordForm(StrictForm):
    """The password of the account, again."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=PASSWORD_MAX,
        strip=False,
        help_text=_("We ask again to be sure that it is you."),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
