"""What an administrator does with the account of somebody else, each after a page that says what will happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.actions import change_role, dismiss_staff, reset_second_factor
from marketplace.accounts.models import User
from marketplace.accounts.staff_forms import AccountStepForm, RoleForm

Text = Promise | str


@dataclass(frozen=True)
class StaffStep:
    """``take(by=, user=, **what the form asked for)``; ``goes`` and ``stays`` are the plan, in sentences."""

    name: str
    label: Text
    does: Text
    goes: tuple[Text, ...]
    stays: tuple[Text, ...]
    take: Callable[..., Any]
    is_possible: Callable[[User], bool]
    form: type[AccountStepForm] = AccountStepForm
    is_dangerous: bool = False


def _is_open_staff(user: User) -> bool:
    return user.is_staff and user.closed_at is None


def _may_be_reset(user: User) -> bool:
    return user.is_active and user.confirmed_at is not None and user.needs_second_factor


_STEPS = (
    StaffStep(
        name="role",
        label=_("Change the role"),
        does=_("Asks which role. It decides what this person may see and do, from the next click on."),
        goes=(
            _("What the present role opens is closed at once."),
            _("This person is signed out on every browser, and signs in again with the new role."),
        ),
        stays=(_("What they did so far stays in the log, with the role they had then."),),
        take=change_role,
        is_possible=_is_open_staff,
        form=RoleForm,
    ),
    StaffStep(
        name="reset",
        label=_("Reset the second step"),
        does=_("For somebody who has lost the authenticator app and the recovery codes. Make sure first that it is them."),
        goes=(
            _("The present app and the recovery codes stop working at once."),
            _("This person is signed out on every browser, and cannot sign in with the password alone."),
        ),
        stays=(_("We mail them a link that works for a day. With it and the password they get in and start anew."),),
        take=reset_second_factor,
        is_possible=_may_be_reset,
        is_dangerous=True,
    ),
    StaffStep(
        name="leave",
        label=_("End this staff account"),
        does=_("For somebody who leaves, or an invitation that is no longer wanted."),
        goes=(
            _("Access ends at once: every browser is signed out, and nothing signs in to this account again."),
            _("Second step, recovery codes, tokens and mailed links are deleted now, name and email address with the next purge."),
        ),
        stays=(
            _("What they did stays in the log, with their role, and points at an account without a name."),
            _("There is no way back: somebody who returns is invited anew."),
        ),
        take=dismiss_staff,
        is_possible=_is_open_staff,
        is_dangerous=True,
    ),
)

STEPS: Mapping[str, StaffStep] = {step.name: step for step in _STEPS}
