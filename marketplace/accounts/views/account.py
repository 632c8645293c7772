"""The signed-in person's own pages, each under a grant for their own data."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from marketplace.accounts.actions import (
    cancel_mailbox_change,
    change_locale,
    complete_mailbox_change,
    request_mailbox_change,
)
from marketplace.accounts.errors import ChangeMustWait, MailboxTaken
from marketplace.accounts.forms import CancelChangeForm, CompleteChangeForm, LocaleForm, NameForm, NewEmailForm
from marketplace.accounts.language import speak
from marketplace.accounts.limits import are_mails_overdone
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import User
from marketplace.accounts.overview import overview_of
from marketplace.accounts.queries import details_of, mailbox_change_of
from marketplace.accounts.views.own import is_proven
from privacy.access.forms import StrictForm
from privacy.access.gate import open_for_unit
from privacy.access.places import GATE, elsewhere
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.rights.forms import PasswordForm
from privacy.rights.views.own import own_page, subject_id_of
from privacy.wall.context import Place

TOO_MANY_MAILS = gettext_lazy(
    "Mails to this address were asked for many times within an hour. So that nobody's mailbox is flooded, we send no more "
    "for now, and nothing was changed. Try again in an hour."
)


@own_page
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """For guests too, who have no account behind it."""
    subject_id = subject_id_of(request)
    user = request.user if isinstance(request.user, User) else None
    grant = open_for_unit(by=_actor(request), purpose=Purpose.RIGHTS, subject=subject_id)
    context = {
        "account": user,
        "details": details_of(user) if user else None,
        "grant": grant,
        "overview": overview_of(subject_id, grant),
    }
    return render(request, "accounts/overview.html", context)


def _with_account(request: HttpRequest) -> Place | None:
    return GATE if request.POST.get("change") in ("email", "cancel", "complete") else None


@elsewhere("mailboxes are unique across people, and links to them stand with the account", _with_account)
@sensitive_post_parameters("password")
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    user = _customer(request)
    if user is None:
        return redirect("admin:index")
    forms: dict[str, StrictForm] = {
        "name": NameForm(),
        "email": NewEmailForm(),
        "locale": LocaleForm(initial={"locale": user.locale}),
        "cancel": CancelChangeForm(),
        "complete": CompleteChangeForm(user.has_second_factor),
    }
    status = 200
    if request.method == "POST":
        what = request.POST.get("change", "")
        if what not in forms:
            return redirect("accounts:details")
        forms[what] = CompleteChangeForm(user.has_second_factor, request.POST) if what == "complete" else type(forms[what])(request.POST)
        status = _checked(request, user, forms[what])
        if status == 200:
            return _CHANGES[what](request, user, forms[what].cleaned_data)
    return _show_details(request, user, forms, status)


def _show_details(request: HttpRequest, user: User, forms: dict[str, StrictForm], status: int) -> HttpResponse:
    grant = open_for_unit(by=_actor(request), purpose=Purpose.RIGHTS, subject=user.subject_id)
    context = {
        "forms": forms,
        "form": next((form for form in forms.values() if form.errors), None),
        "details": details_of(user),
        "change": mailbox_change_of(user),
        "grant": grant,
        "user": user,
    }
    return render(request, "accounts/details.html", context, status=status)


def _checked(request: HttpRequest, user: User, form: StrictForm) -> int:
    """200 when this may be done; else the status of the page that shows the form's error."""
    status = is_proven(request, form) if isinstance(form, PasswordForm) else 200 if form.is_valid() else 422
    if status != 200 or not isinstance(form, NewEmailForm):
        return status
    if are_mails_overdone("change", mailbox_digest(form.cleaned_data["email"]), user.pk.bytes):
        form.add_error(None, TOO_MANY_MAILS)
        return 429
    return 200


def _change_name(request: HttpRequest, user: User, given: dict[str, str]) -> HttpResponse:
    from privacy.rights.actions import correct_record

    record = details_of(user)
    if record is not None:
        correct_record(by=_actor(request), record=record, changes={"name": given["name"]})
    messages.success(request, _("Your name is changed."))
    return redirect("accounts:details")


def _change_email(request: HttpRequest, user: User, given: dict[str, str]) -> HttpResponse:
    request_mailbox_change(by=_actor(request), user=user, email=given["email"])
    messages.info(request, _("We have sent a link to both addresses. Until both are followed, the old address stays in use."))
    return redirect("accounts:details")


def _cancel_change(request: HttpRequest, user: User, given: dict[str, str]) -> HttpResponse:
    cancel_mailbox_change(by=_actor(request), user=user)
    messages.success(request, _("The change is called off. Your email address stays as it is."))
    return redirect("accounts:details")


def _complete_change(request: HttpRequest, user: User, given: dict[str, str]) -> HttpResponse:
    try:
        complete_mailbox_change(by=_actor(request), user=user)
    except MailboxTaken:
        return render(request, "accounts/mailbox_taken.html", status=409)
    except ChangeMustWait:
        messages.warning(request, _("Nothing was changed: it is too early, or the change is over."))
    else:
        messages.success(request, _("Your email address is changed. You sign in with the new one from now on."))
    return redirect("accounts:details")


def _change_locale(request: HttpRequest, user: User, given: dict[str, str]) -> HttpResponse:
    change_locale(by=_actor(request), user=user, locale=given["locale"])
    with override(given["locale"]):
        messages.success(request, _("Your language is changed."))
    return speak(redirect("accounts:details"), given["locale"])


_CHANGES = {
    "name": _change_name,
    "email": _change_email,
    "cancel": _cancel_change,
    "complete": _complete_change,
    "locale": _change_locale,
}


def _customer(request: HttpRequest) -> User | None:
    """The account, unless it is one of staff: they have no pages here."""
    user = request.user
    return user if isinstance(user, User) and not user.is_staff else None


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]
