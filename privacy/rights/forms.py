"""What people fill in to use their rights (RIGHTS-1, RIGHTS-3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.pages import PLACE
from privacy.access.forms import StrictForm
from privacy.consent.forms import consent_fields
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import STAFF_ROLES, Role

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
        error_messages={"required": _("Enter your password.")},
    )


class GiveForm(StrictForm):
    """A yes to exactly the words beside the button, which sends their fingerprint."""

    def __init__(self, purpose: Purpose, locale: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(consent_fields([purpose], locale))
        for name, field in self.fields.items():
            field.required = True
            self.name, self.fingerprint = name, field.fingerprint  # type: ignore[attr-defined]


class FreezeForm(StrictForm):
    """Which kinds of data are only to be stored."""

    categories = forms.TypedMultipleChoiceField(
        label=_("What to freeze"),
        choices=Category.choices,
        coerce=Category,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind of data.")},
    )


class ObjectionForm(StrictForm):
    """Which use somebody objects to, and why if they like."""

    purpose = forms.TypedChoiceField(
        label=_("What to object to"),
        coerce=Purpose,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you object to.")},
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=1000,
        required=False,
        help_text=_("What makes your situation special. It helps us to decide; you need not say it."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, purposes: Iterable[Purpose], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [(purpose.value, purpose.label) for purpose in purposes]  # type: ignore[attr-defined]


class CorrectionForm(StrictForm):
    """Which value of a record is wrong, and what it should be."""

    field = forms.ChoiceField(label=_("What is wrong"), widget=forms.RadioSelect, error_messages={"required": _("Choose what is wrong.")})
    value = forms.CharField(label=_("What it should be"), max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    reason = forms.CharField(label=_("Why"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, choices: Iterable[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["field"].choices = list(choices)  # type: ignore[attr-defined]


class ApprovalForm(StrictForm):
    """A yes or no to one recipient and purpose."""

    GIVE, TAKE_BACK = "give", "take_back"

    purpose = forms.TypedChoiceField(choices=Purpose.choices, coerce=Purpose)
    decision = forms.ChoiceField(choices=[(GIVE, GIVE), (TAKE_BACK, TAKE_BACK)])


class UsesForm(StrictForm):
    """Which uses to show; empty fields narrow nothing, and everybody but the person is shown first."""

    OTHERS, EVERYBODY, YOU, STAFF = "", "everybody", "you", "staff"
    PERIODS = {"7": timedelta(days=7), "30": timedelta(days=30), "365": timedelta(days=365)}

    category = forms.ChoiceField(label=_("Kind of data"), required=False, choices=[("", _("Every kind")), *Category.choices])
    who = forms.ChoiceField(
        label=_("Who"),
        required=False,
        choices=[
            (OTHERS, _("Everybody but me")),
            (STAFF, _("All of our staff")),
            *[(role.value, role.label) for role in Role if role in STAFF_ROLES],
            (Role.JOB.value, _("Our computer, by itself")),
            (YOU, _("Only me")),
            (EVERYBODY, _("Everybody")),
        ],
    )
    since = forms.ChoiceField(
        label=_("When"),
        required=False,
        choices=[("", _("All the time")), ("7", _("Last 7 days")), ("30", _("Last 30 days")), ("365", _("Last 12 months"))],
    )
    purpose = forms.ChoiceField(label=_("What for"), required=False, choices=[("", _("Everything")), *Purpose.choices])
    refused = forms.BooleanField(label=_("Only refused attempts"), required=False)
    before = forms.RegexField(PLACE, required=False, strip=False, widget=forms.HiddenInput)
    after = forms.RegexField(PLACE, required=False, strip=False, widget=forms.HiddenInput)

    @property
    def narrows(self) -> dict[str, Any]:
        """What was chosen, as ``privacy.rights.uses.narrowed`` takes it; after ``is_valid()``."""
        chosen = self.cleaned_data
        period = self.PERIODS.get(chosen["since"])
        return {
            "who": chosen["who"],
            "category": Category(chosen["category"]) if chosen["category"] else None,
            "purpose": Purpose(chosen["purpose"]) if chosen["purpose"] else None,
            "since": timezone.now() - period if period else None,
            "refused_only": chosen["refused"],
        }


class AnswerForm(StrictForm):
    """What staff answer; the person reads it."""

    answer = forms.CharField(
        label=_("Answer"),
        min_length=10,
        max_length=2000,
        help_text=_("The person reads this. Say what you decided and why."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    submit_names = frozenset({"_decide"})
