"""What the pages about an account itself share: for whoever has one, staff too, and stored by no browser."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from marketplace.accounts.models import User
from marketplace.accounts.sessions import session_digest
from privacy.access.places import at_the_gate
from privacy.policy.roles import Actor
from privacy.rights.forms import PasswordForm
from privacy.rights.views.own import password_confirmed

TOO_OFTEN = _("That was wrong too often. Wait a quarter of an hour, then try again.")
WRONG_CODE = _("This code is not right, or was used before. Wait for the next one.")


def account_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page about the account of whoever is signed in; visitors and guests, who have none, go to the sign-in."""
    return at_the_gate("passwords, sessions, codes and tokens")(login_required(never_cache(sensitive_post_parameters()(view))))


def account_of(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # noqa: S101  account_page lets nobody else through
    return user


def actor_of(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def this_session(request: HttpRequest) -> str:
    """The digest under which the session of this browser stands in the table."""
    return session_digest(request.session.session_key or "")


def layout_of(request: HttpRequest) -> dict[str, str]:
    """The same pages for both: customers see them beside the menu of their account, staff under the way back to work."""
    return {"layout": "accounts/staff_base.html" if account_of(request).is_staff else "account/base.html"}


def is_proven(request: HttpRequest, form: PasswordForm) -> int:
    """200 when the password is right, and the code where the form asks for one; else the status of the page.

    Wrong codes count towards the same lock-out as at the sign-in. The code is spent last: a wrong password costs none.
    """
    status = password_confirmed(request, form)
    code = form.cleaned_data.get("code")
    if status != 200 or code is None:
        return status
    if authenticate(request, user=account_of(request), code=code) is None:
        form.add_error("code", WRONG_CODE)
        return 422
    return 200
