"""The safety of an account: where it is signed in, its password, its second step, and what happened to it lately."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from marketplace.accounts.actions import change_password, end_listed_session, end_other_sessions, end_session
from marketplace.accounts.errors import SessionUnknown
from marketplace.accounts.forms import ChangePasswordForm
from marketplace.accounts.queries import (
    FEW_CODES,
    mailbox_change_of,
    open_sessions,
    recovery_codes_left,
    second_factor_of,
    security_events,
)
from marketplace.accounts.security_events import in_words
from marketplace.accounts.views.own import account_of, account_page, actor_of, is_proven, layout_of, this_session
from privacy.rights.forms import ButtonForm

SESSIONS_A_PAGE = 10
EVENTS_SHOWN = 10


@account_page
@require_GET
def security(request: HttpRequest) -> HttpResponse:
    user = account_of(request)
    events = security_events(user.subject_id)[:EVENTS_SHOWN]
    left = recovery_codes_left(user)
    context = {
        **layout_of(request),
        "page": Paginator(open_sessions(user), SESSIONS_A_PAGE).get_page(request.GET.get("page")),
        "here": this_session(request),
        "factor": second_factor_of(user),
        "codes_left": left,
        "are_codes_few": left < FEW_CODES,
        "change": mailbox_change_of(user),
        "events": [in_words(entry) for entry in events],
    }
    return render(request, "accounts/security.html", context)


@account_page
@require_POST
def end_one_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Sign out on one browser of the list; on this one as the button in the menu does."""
    if not ButtonForm(request.POST).is_valid():
        return _refused(request)
    if this_session(request).startswith(session_id.hex):
        end_session(by=actor_of(request), request=request)
        return redirect("/")
    try:
        end_listed_session(by=actor_of(request), user=account_of(request), reference=session_id)
    except SessionUnknown:
        raise Http404 from None
    messages.success(request, _("That browser is signed out."))
    return redirect("accounts:security")


@account_page
@require_http_methods(["GET", "POST"])
def end_others(request: HttpRequest) -> HttpResponse:
    """Shows how many browsers are meant, and asks once."""
    form = ButtonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        ended = end_other_sessions(by=actor_of(request), user=account_of(request), keep=this_session(request))
        words = ngettext("%(number)s other browser is signed out.", "%(number)s other browsers are signed out.", ended)
        messages.success(request, words % {"number": ended})
        return redirect("accounts:security")
    others = open_sessions(account_of(request)).exclude(session_key=this_session(request)).count()
    context = {**layout_of(request), "form": form, "others": others}
    return render(request, "accounts/end_others.html", context, status=422 if form.errors else 200)


@account_page
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    form = ChangePasswordForm(request.POST if request.method == "POST" else None)
    status = is_proven(request, form) if request.method == "POST" else 0
    if status != 200:
        return render(request, "accounts/password.html", {**layout_of(request), "form": form}, status=status or 200)
    user = account_of(request)
    change_password(by=actor_of(request), user=user, password=form.cleaned_data["new_password"], keep=this_session(request))
    update_session_auth_hash(request, user)
    messages.success(request, _("Your password is changed, and every other browser is signed out."))
    return redirect("accounts:security")


def _refused(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("This form held fields that we did not ask for, so nothing was done. Please try again."))
    return redirect("accounts:security")
