"""What the staff site asks an administrator about somebody's account; never for a name or a password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.forms import email_field
from marketplace.accounts.models import User
from privacy.access.forms import StrictForm
from privacy.policy.roles import STAFF_ROLES, Role
from privacy.vault.identifiers import uuid7


def role_choices(but: str = "") -> list[tuple[str, Any]]:
    return [(role.value, role.label) for role in Role if role in STAFF_ROLES and role != but]


class InviteForm(StrictForm):
    """The page brings the id that the account will get, so that pressing twice invites once."""

    email = email_field(autocomplete="off")
    role = forms.TypedChoiceField(label=_("Role"), coerce=Role)
    locale = forms.ChoiceField(label=_("Language of the invitation"), choices=settings.LANGUAGES)
    invitation = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices()  # type: ignore[attr-defined]
        self.fields["invitation"].initial = uuid7
        self.fields["email"].widget.attrs["class"] = "vTextField"


class AccountStepForm(StrictForm):
    """The button is the answer."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class RoleForm(AccountStepForm):
    role = forms.TypedChoiceField(label=_("New role"), coerce=Role)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["role"].choices = role_choices(but=user.role)  # type: ignore[attr-defined]
