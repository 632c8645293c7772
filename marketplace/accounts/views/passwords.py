"""Choose a new password by mail."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from marketplace.accounts.actions import request_password_reset, reset_password
from marketplace.accounts.errors import TokenInvalid
from marketplace.accounts.forms import EmailForm, NewPasswordForm
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import AccountToken
from marketplace.accounts.tokens import find_token
from privacy.access.limits import is_overdone
from privacy.access.places import at_the_gate


@at_the_gate("an address, whose account is not looked for")
@never_cache
@require_http_methods(["GET", "POST"])
def password_reset(request: HttpRequest) -> HttpResponse:
    """The same answer whether or not the address has an account: nothing here looks.

    It stays the same when no further mail goes out: the links mailed before keep working, and one does for as
    long as mails are held back.
    """
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if not is_overdone("reset", mailbox_digest(email)):
            request_password_reset(by=request.actor, email=email, locale=get_language() or "en")  # type: ignore[attr-defined]
        return redirect("accounts:password-reset-sent")
    return render(request, "accounts/password_reset.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_GET
def password_reset_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/password_reset_sent.html")


@at_the_gate("a mailed link, whose account is not known yet")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def password_reset_set(request: HttpRequest, token: str) -> HttpResponse:
    try:
        find_token(token, AccountToken.Kind.RESET)
        form = NewPasswordForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reset_password(by=request.actor, token=token, password=form.cleaned_data["password"])  # type: ignore[attr-defined]
            return render(request, "accounts/password_changed.html")
    except TokenInvalid:
        return render(request, "accounts/link_invalid.html", {"what": "reset"}, status=410)
    return render(request, "accounts/password_reset_set.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
def change_password(request: HttpRequest) -> HttpResponse:
    """Where password managers look for the form (W3C, A Well-Known URL for Changing Passwords)."""
    return redirect("accounts:password" if request.user.is_authenticated else "accounts:password-reset")
