"""Tokens for programs: made, shown once, ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from marketplace.accounts.actions import end_token, make_token
from marketplace.accounts.errors import TooManyTokens
from marketplace.accounts.forms import TokenForm
from marketplace.accounts.models import User
from marketplace.accounts.queries import tokens_of
from privacy.access.places import at_the_gate
from privacy.rights.forms import ButtonForm
from privacy.rights.views.own import actor_of, own_page, password_confirmed


@at_the_gate("tokens")
@sensitive_post_parameters("password")
@own_page
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens that work, and the form for another. A new one is shown in the answer to the form, and never again."""
    user = _account(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    status = password_confirmed(request, form) if request.method == "POST" else 0
    if status == 200:
        answer = _make(request, user, form)
        if answer is not None:
            return answer
        status = 409
    context = {"form": form, "tokens": tokens_of(user)}
    return render(request, "accounts/tokens.html", context, status=status or 200)


@at_the_gate("tokens")
@own_page
@require_http_methods(["GET", "POST"])
def token_end(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Says what stops, and asks once."""
    token = get_object_or_404(tokens_of(_account(request)).select_related("user"), pk=token_id)
    form = ButtonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/token_end.html", {"form": form, "token": token}, status=422 if form.errors else 200)
    end_token(by=actor_of(request), token=token)
    messages.success(request, _("The token is ended. Programs that use it are refused from now on."))
    return redirect("accounts:tokens")


@sensitive_variables("secret")
def _make(request: HttpRequest, user: User, form: Any) -> HttpResponse | None:
    """The page with the new token; None, with the form saying so, when there are too many."""
    lasts = timedelta(days=form.cleaned_data["days"])
    try:
        token, secret = make_token(by=actor_of(request), user=user, scopes=form.cleaned_data["scopes"], lasts=lasts)
    except TooManyTokens:
        form.add_error(None, _("You have 20 tokens already. End one that you no longer need, then make another."))
        return None
    return render(request, "accounts/token_made.html", {"token": token, "secret": secret})


def _account(request: HttpRequest) -> User:
    """Guests have no account, and so no tokens."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user
