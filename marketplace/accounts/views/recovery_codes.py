"""Recovery codes: made when asked for with the password, shown once, and to be had as a file from that page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts.actions import issue_recovery_codes
from marketplace.accounts.errors import NoSecondFactor
from marketplace.accounts.forms import RecoveryTextForm
from marketplace.accounts.models import User
from marketplace.accounts.queries import recovery_codes_left, second_factor_of
from marketplace.accounts.views.own import account_of, account_page, actor_of, is_proven, layout_of
from privacy.policy.roles import Actor
from privacy.rights.forms import PasswordForm


@account_page
@require_http_methods(["GET", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    user = account_of(request)
    if second_factor_of(user) is None:
        return redirect("accounts:security")
    form = PasswordForm(request.POST if request.method == "POST" else None)
    status = is_proven(request, form) if request.method == "POST" else 0
    if status != 200:
        context = {**layout_of(request), "form": form, "codes_left": recovery_codes_left(user)}
        return render(request, "accounts/recovery_codes.html", context, status=status or 200)
    try:
        return show_new_codes(request, by=actor_of(request), user=user)
    except NoSecondFactor:  # turned off meanwhile
        return redirect("accounts:security")


def show_new_codes(request: HttpRequest, *, by: Actor, user: User, is_new: bool = False) -> HttpResponse:
    """The only page that shows them. It answers a POST and may not be stored, so that no browser keeps it."""
    codes = issue_recovery_codes(by=by, user=user)
    context = {**layout_of(request), "codes": codes, "is_new": is_new, "next": request.session.pop("next", "")}
    return render(request, "accounts/new_recovery_codes.html", context)


@account_page
@require_POST
def recovery_codes_text(request: HttpRequest) -> HttpResponse:
    """The codes of the page as a text file. The page sends them along; nothing here knows them."""
    form = RecoveryTextForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(_("These are no recovery codes."), content_type="text/plain; charset=utf-8")
    lines = [_("Recovery codes. Each works once, in place of a code from your authenticator app."), ""]
    text = "\r\n".join([*lines, *form.cleaned_data["codes"].split(), ""])
    disposition = {"Content-Disposition": 'attachment; filename="recovery-codes.txt"'}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=disposition)
