"""Open an account: the form, the page that says where to look, and the mailed link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from marketplace.accounts.actions import confirm_mailbox, send_confirmation_again, sign_up
from marketplace.accounts.errors import MailboxTaken, TokenInvalid
from marketplace.accounts.forms import ConfirmForm, SignUpForm
from marketplace.accounts.limits import are_mails_overdone
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import AccountToken, User
from marketplace.accounts.tokens import find_token
from marketplace.accounts.views.mailbox_changes import answer_by_new_mailbox
from marketplace.accounts.views.own import TOO_OFTEN
from privacy.access.errors import AccessDenied
from privacy.access.limits import is_overdone, network_digest
from privacy.access.places import at_the_gate
from privacy.policy.queries import policy_in_force
from privacy.rights.errors import TooManyAttempts, WrongPassword
from privacy.rights.forms import ButtonForm

WAITING = "unconfirmed_account"
TOO_MANY_MAILS = gettext_lazy(
    "Mails to this address were asked for many times within an hour. So that nobody's mailbox is flooded, we send no more "
    "for now, and no account was created. Look into the mailbox and its spam folder, or send this form again in an hour."
)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up_page(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("accounts:overview")
    form = SignUpForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = _may_open_account(request, form)
        if status == 200:
            return _open_account(request, form)
    return render(request, "accounts/sign_up.html", {"form": form, "policy": policy_in_force()}, status=status)


def _may_open_account(request: HttpRequest, form: SignUpForm) -> int:
    """200 when the account may be opened; else the status of the page that shows the form's error.

    What is counted are mails to the mailbox: nothing here looks whether the address has an account.
    """
    if not form.is_valid():
        return 422
    if are_mails_overdone("sign-up", mailbox_digest(form.cleaned_data["email"]), network_digest(request)):
        form.add_error(None, TOO_MANY_MAILS)
        return 429
    return 200


def _open_account(request: HttpRequest, form: SignUpForm) -> HttpResponse:
    """The same answer whether or not the address has an account."""
    given = form.cleaned_data
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


@at_the_gate("an account that nobody is signed in to yet")
@require_POST
def sign_up_again(request: HttpRequest) -> HttpResponse:
    """Mail the link again to whoever signed up in this browser."""
    user = User.objects.filter(pk=request.session.get(WAITING)).first()
    if user is None:
        return redirect("accounts:sign-up")
    form = ButtonForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/sign_up_sent.html", {"can_send_again": True, "form": form}, status=422)
    if is_overdone("sign-up-again", user.pk.bytes):
        return render(request, "accounts/too_many_mails.html", status=429)
    send_confirmation_again(by=request.actor, user=user)  # type: ignore[attr-defined]
    return render(request, "accounts/sign_up_sent.html", {"can_send_again": True, "was_sent_again": True})


@at_the_gate("a mailed link, whose account is not known yet")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET only asks: programs that open every link in a mail must not use it up."""
    try:
        if find_token(token, AccountToken.Kind.CONFIRM, AccountToken.Kind.CHANGE).kind == AccountToken.Kind.CHANGE:
            return answer_by_new_mailbox(request, token)
        form = ConfirmForm(request.POST if request.method == "POST" else None)
        status = _confirm(request, token, form) if request.method == "POST" else 0
    except (TokenInvalid, AccessDenied):
        return render(request, "accounts/link_invalid.html", {"what": "confirm"}, status=410)
    except MailboxTaken:
        return render(request, "accounts/mailbox_taken.html", status=409)
    if status != 200:
        return render(request, "accounts/confirm.html", {"form": form}, status=status or 200)
    request.session.pop(WAITING, None)
    return render(request, "accounts/confirmed.html")


def _confirm(request: HttpRequest, token: str, form: ConfirmForm) -> int:
    """200 when the mailbox is confirmed; else the status of the page that shows the form's error."""
    if not form.is_valid():
        return 422
    try:
        confirm_mailbox(by=request.actor, token=token, password=form.cleaned_data["password"])  # type: ignore[attr-defined]
    except TooManyAttempts:
        form.add_error(None, TOO_OFTEN)
        return 429
    except WrongPassword:
        form.add_error("password", _("This is not the password that was chosen when this account was created."))
        return 422
    return 200
