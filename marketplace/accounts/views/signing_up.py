"""Open an account: the form, the page that says where to look, and the mailed link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from marketplace.accounts.actions import confirm_mailbox, confirm_mailbox_change, send_confirmation_again, sign_up
from marketplace.accounts.errors import MailboxTaken, TokenInvalid
from marketplace.accounts.forms import ConfirmForm, SignUpForm
from marketplace.accounts.limits import is_overdone
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import AccountToken, User
from marketplace.accounts.tokens import find_token
from privacy.access.errors import AccessDenied
from privacy.access.forms import StrictForm
from privacy.policy.queries import policy_in_force
from privacy.policy.roles import Actor
from privacy.rights.errors import TooManyAttempts, WrongPassword

WAITING = "unconfirmed_account"


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up_page(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("accounts:overview")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _open_account(request, form)
    context = {"form": form, "policy": policy_in_force()}
    return render(request, "accounts/sign_up.html", context, status=422 if form.errors else 200)


def _open_account(request: HttpRequest, form: SignUpForm) -> HttpResponse:
    """The same answer whether or not the address has an account: nothing here looks."""
    given = form.cleaned_data
    if is_overdone("sign-up", mailbox_digest(given["email"])):
        return render(request, "accounts/too_many_mails.html", status=429)
    user = sign_up(
        by=request.actor,  # type: ignore[attr-defined]
        email=given["email"],
        name=given["name"],
        password=given["password"],
        purposes=form.purposes,
        locale=get_language() or "en",
    )
    request.session[WAITING] = str(user.pk)
    return redirect("accounts:sign-up-sent")


@never_cache
@require_GET
def sign_up_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/sign_up_sent.html", {"can_send_again": WAITING in request.session})


@require_POST
def sign_up_again(request: HttpRequest) -> HttpResponse:
    """Mail the link again to whoever signed up in this browser."""
    user = User.objects.filter(pk=request.session.get(WAITING)).first()
    if user is None:
        return redirect("accounts:sign-up")
    if is_overdone("sign-up-again", user.pk.bytes):
        return render(request, "accounts/too_many_mails.html", status=429)
    send_confirmation_again(by=request.actor, user=user)  # type: ignore[attr-defined]
    return render(request, "accounts/sign_up_sent.html", {"can_send_again": True, "was_sent_again": True})


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET only asks: programs that open every link in a mail must not use it up."""
    try:
        kind = find_token(token, AccountToken.Kind.CONFIRM, AccountToken.Kind.CHANGE).kind
        is_change = kind == AccountToken.Kind.CHANGE
        form = (StrictForm if is_change else ConfirmForm)(request.POST if request.method == "POST" else None)
        status = _confirm(request, token, form) if request.method == "POST" else 0
    except (TokenInvalid, AccessDenied):
        return render(request, "accounts/link_invalid.html", {"what": "confirm"}, status=410)
    except MailboxTaken:
        return render(request, "accounts/mailbox_taken.html", status=409)
    if status != 200:
        return render(request, "accounts/confirm.html", {"is_change": is_change, "form": form}, status=status or 200)
    request.session.pop(WAITING, None)
    return render(request, "accounts/confirmed.html", {"is_change": is_change})


def _confirm(request: HttpRequest, token: str, form: StrictForm) -> int:
    """200 when the mailbox is confirmed; else the status of the page that shows the form's error."""
    if not form.is_valid():
        return 422
    by: Actor = request.actor  # type: ignore[attr-defined]
    try:
        if isinstance(form, ConfirmForm):
            confirm_mailbox(by=by, token=token, password=form.cleaned_data["password"])
        else:  # only somebody signed in, with the password, can have asked for a change
            confirm_mailbox_change(by=by, token=token)
    except TooManyAttempts:
        form.add_error(None, _("That was wrong too often. Wait a quarter of an hour, then try again."))
        return 429
    except WrongPassword:
        form.add_error("password", _("This is not the password that was chosen when this account was created."))
        return 422
    return 200
