"""The signed-in person's own pages, each under a grant for their own data."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from marketplace.accounts.actions import change_locale, request_mailbox_change
from marketplace.accounts.forms import LocaleForm, NameForm, NewEmailForm
from marketplace.accounts.language import speak
from marketplace.accounts.limits import is_overdone
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import User
from marketplace.accounts.queries import details_of
from privacy.access.forms import StrictForm
from privacy.access.gate import open_for_unit
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.rights.forms import PasswordForm
from privacy.rights.views.own import password_confirmed


@login_required
@never_cache
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    user = _customer(request)
    if user is None:
        return redirect("admin:index")
    grant = open_for_unit(by=_actor(request), purpose=Purpose.RIGHTS, subject=user.subject_id)
    return render(request, "accounts/overview.html", {"details": details_of(user), "grant": grant})


@sensitive_post_parameters("password")
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    user = _customer(request)
    if user is None:
        return redirect("admin:index")
    forms: dict[str, Any] = {"name": NameForm(), "email": NewEmailForm(), "locale": LocaleForm(initial={"locale": user.locale})}
    status = 200
    if request.method == "POST":
        what = request.POST.get("change", "")
        if what not in forms:
            return redirect("accounts:details")
        forms[what] = type(forms[what])(request.POST)
        status = _checked(request, forms[what])
        if status == 200:
            return _CHANGES[what](request, user, forms[what].cleaned_data)
    grant = open_for_unit(by=_actor(request), purpose=Purpose.RIGHTS, subject=user.subject_id)
    wrong = next((form for form in forms.values() if form.errors), None)
    context = {"forms": forms, "form": wrong, "details": details_of(user), "grant": grant, "user": user}
    return render(request, "accounts/details.html", context, status=status)


def _checked(request: HttpRequest, form: StrictForm) -> int:
    """200 when this may be done; else the status of the page that shows the form's error."""
    if isinstance(form, PasswordForm):
        return password_confirmed(request, form)
    return 200 if form.is_valid() else 422


def _change_name(request: HttpRequest, user: User, given: dict[str, str]) -> HttpResponse:
    from privacy.rights.actions import correct_record

    record = details_of(user)
    if record is not None:
        correct_record(by=_actor(request), record=record, changes={"name": given["name"]})
    messages.success(request, _("Your name is changed."))
    return redirect("accounts:details")


def _change_email(request: HttpRequest, user: User, given: dict[str, str]) -> HttpResponse:
    if is_overdone("change", mailbox_digest(given["email"])):
        return render(request, "accounts/too_many_mails.html", status=429)
    request_mailbox_change(by=_actor(request), user=user, email=given["email"])
    messages.info(request, _("We have sent a link to the new address. Until you follow it, the old address stays in use."))
    return redirect("accounts:details")


def _change_locale(request: HttpRequest, user: User, given: dict[str, str]) -> HttpResponse:
    change_locale(by=_actor(request), user=user, locale=given["locale"])
    with override(given["locale"]):
        messages.success(request, _("Your language is changed."))
    return speak(redirect("accounts:details"), given["locale"])


_CHANGES = {"name": _change_name, "email": _change_email, "locale": _change_locale}


def _customer(request: HttpRequest) -> User | None:
    """The account, unless it is one of staff: they have no pages here."""
    user = request.user
    return user if isinstance(user, User) and not user.is_staff else None


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]
