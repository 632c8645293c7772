"""The mailed links of a change of the mailbox: the new one confirms, the old one agrees or calls it off."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from marketplace.accounts.actions import agree_to_mailbox_change, confirm_mailbox_change, refuse_mailbox_change
from marketplace.accounts.errors import MailboxTaken, TokenInvalid
from marketplace.accounts.models import AccountToken
from marketplace.accounts.tokens import find_token
from privacy.access.errors import AccessDenied
from privacy.access.places import at_the_gate
from privacy.rights.forms import ButtonForm

Kind = AccountToken.Kind


def answer_by_new_mailbox(request: HttpRequest, token: str) -> HttpResponse:
    return _answer(request, token, Kind.CHANGE, confirm_mailbox_change)


@at_the_gate("a mailed link, whose account is not known yet")
@never_cache
@require_http_methods(["GET", "POST"])
def agree(request: HttpRequest, token: str) -> HttpResponse:
    return _answer(request, token, Kind.AGREE, agree_to_mailbox_change)


@at_the_gate("a mailed link, whose account is not known yet")
@never_cache
@require_http_methods(["GET", "POST"])
def refuse(request: HttpRequest, token: str) -> HttpResponse:
    return _answer(request, token, Kind.REFUSE, refuse_mailbox_change)


def _answer(request: HttpRequest, token: str, kind: AccountToken.Kind, act: Callable[..., object]) -> HttpResponse:
    """GET only asks: programs that open every link in a mail must not answer."""
    form = ButtonForm(request.POST if request.method == "POST" else None)
    try:
        find_token(token, kind)
        if request.method == "GET" or not form.is_valid():
            return render(request, "accounts/mailbox_change.html", {"kind": kind, "form": form}, status=422 if form.errors else 200)
        is_made = act(by=request.actor, token=token)  # type: ignore[attr-defined]
    except (TokenInvalid, AccessDenied):
        return render(request, "accounts/link_invalid.html", {"what": "change"}, status=410)
    except MailboxTaken:
        return render(request, "accounts/mailbox_taken.html", status=409)
    return render(request, "accounts/mailbox_change_answered.html", {"kind": kind, "is_made": is_made})
