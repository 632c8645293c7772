"""The second step: given at each sign-in, set up once, turned off again, and begun anew after it was lost."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from marketplace.accounts.actions import (
    can_check_codes,
    confirm_second_factor,
    enrollment_of,
    open_enrollment,
    remove_second_factor,
    send_enrollment_link,
    start_session,
)
from marketplace.accounts.codes import qr_svg
from marketplace.accounts.errors import AlreadyEnrolled, NoSecondFactor, NotAllowed, TokenInvalid
from marketplace.accounts.forms import AppCodeForm, CodeForm, ProofForm, SetUpForm
from marketplace.accounts.language import speak
from marketplace.accounts.middleware import (
    forget_second_factor,
    is_half_signed_in,
    note_second_factor,
    open_to_half_signed_in,
)
from marketplace.accounts.models import AccountToken, User
from marketplace.accounts.queries import second_factor_of
from marketplace.accounts.tokens import find_token
from marketplace.accounts.views.own import (
    TOO_OFTEN,
    WRONG_CODE,
    account_of,
    account_page,
    actor_of,
    is_proven,
    layout_of,
    this_session,
)
from marketplace.accounts.views.recovery_codes import show_new_codes
from privacy.access.limits import is_overdone
from privacy.access.places import at_the_gate
from privacy.rights.errors import TooManyAttempts, WrongPassword
from privacy.rights.forms import ButtonForm, PasswordForm
from privacy.rights.views.own import password_confirmed

SECRET_DAMAGED = gettext_lazy(
    "We cannot check the codes of your app: what we keep of it is damaged, and we have been told. Enter one of your recovery codes "
    "instead; once you are signed in, turn the second step off and set it up again."
)
MAY_ENROLL = "may_enroll"
"""In the session of somebody who came by a mailed link and gave the password: the password alone enrolls nobody."""


def begin_enrollment(request: HttpRequest, user: User) -> HttpResponse:
    """Sign in somebody who has just proven mailbox and password; staff set their second factor up now."""
    start_session(by=user.actor, request=request, user=user)
    if not user.is_staff:
        return redirect("accounts:security")
    request.session[MAY_ENROLL] = True
    return redirect("accounts:second-factor")


# At the sign-in


@open_to_half_signed_in
@login_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Between password and account: a code; for staff without a second factor first the setting up."""
    user = account_of(request)
    if not is_half_signed_in(request):
        return redirect("admin:index" if user.is_staff else "accounts:overview")
    factor = second_factor_of(user)
    if factor is not None and factor.reset_at is None:
        return _ask_for_code(request, user)
    if factor is None and MAY_ENROLL in request.session:
        return _enroll(request, user)
    return render(request, "accounts/second_factor_missing.html", {"is_reset": factor is not None})


def _ask_for_code(request: HttpRequest, user: User) -> HttpResponse:
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if authenticate(request, user=user, code=form.cleaned_data["code"]):
            note_second_factor(request)
            own = reverse("admin:index" if user.is_staff else "accounts:overview")
            return speak(redirect(request.session.pop("next", own)), user.locale)
        form.add_error("code", WRONG_CODE if can_check_codes(user) else SECRET_DAMAGED)
    return render(request, "accounts/second_factor.html", {"form": form}, status=422 if form.errors else 200)


def _enroll(request: HttpRequest, user: User) -> HttpResponse:
    """Whoever stands here is nobody in particular to the rest of the site, so the person is named as the actor."""
    form = AppCodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        code, keep = form.cleaned_data["code"], this_session(request)
        if confirm_second_factor(by=user.actor, user=user, code=code, keep=keep):
            del request.session[MAY_ENROLL]
            note_second_factor(request)
            return show_new_codes(request, by=user.actor, user=user, is_new=True)
        form.add_error("code", WRONG_CODE)
    context = {"form": form, "secret": _secret(user)}
    return render(request, "accounts/second_factor_enroll.html", context, status=422 if form.errors else 200)


@at_the_gate("codes")
@open_to_half_signed_in
@login_required
@never_cache
@require_GET
def second_factor_picture(request: HttpRequest) -> HttpResponse:
    """The enrollment as a QR code, while the enrollment lasts, for whoever sees the page that shows it."""
    user = account_of(request)
    if is_half_signed_in(request) and MAY_ENROLL not in request.session:
        raise Http404
    try:
        _secret_text, uri = enrollment_of(by=user.actor, user=user)
    except AlreadyEnrolled:
        raise Http404 from None
    return HttpResponse(qr_svg(uri), content_type="image/svg+xml")


# By a mailed link, after it was lost


@open_to_half_signed_in
@login_required
@require_POST
def send_link(request: HttpRequest) -> HttpResponse:
    """Mail the link to whoever gave the password and has no second factor to give."""
    user = account_of(request)
    if not is_half_signed_in(request):
        return redirect("accounts:security")
    form = ButtonForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/second_factor_missing.html", {"form": form}, status=422)
    if is_overdone("enroll", user.pk.bytes):
        return render(request, "accounts/too_many_mails.html", status=429)
    try:
        send_enrollment_link(by=user.actor, user=user)
    except NotAllowed:  # it is in force: a code is asked for
        return redirect("accounts:second-factor")
    return render(request, "accounts/second_factor_missing.html", {"was_sent": True})


@at_the_gate("a mailed link, whose account is not known yet")
@open_to_half_signed_in
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def enroll(request: HttpRequest, token: str) -> HttpResponse:
    """GET only asks; the link works together with the password alone."""
    form = PasswordForm(request.POST if request.method == "POST" else None)
    status = 422 if form.errors else 200
    try:
        find_token(token, AccountToken.Kind.ENROLL)
        if request.method == "POST" and form.is_valid():
            user = open_enrollment(by=actor_of(request), token=token, password=form.cleaned_data["password"])
            return begin_enrollment(request, user)
    except TokenInvalid:
        return render(request, "accounts/link_invalid.html", {"what": "enroll"}, status=410)
    except TooManyAttempts:
        form.add_error(None, TOO_OFTEN)
        status = 429
    except WrongPassword:
        form.add_error("password", _("This is not the password of the account."))
        status = 422
    return render(request, "accounts/enroll.html", {"form": form}, status=status)


# On the security page


@account_page
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """A customer turns the second step on; recovery codes come with it."""
    user = account_of(request)
    if second_factor_of(user) is not None:
        return redirect("accounts:security")
    form = SetUpForm(request.POST if request.method == "POST" else None)
    status = password_confirmed(request, form) if request.method == "POST" else 0
    if status == 200:
        code, keep = form.cleaned_data["code"], this_session(request)
        if confirm_second_factor(by=actor_of(request), user=user, code=code, keep=keep):
            note_second_factor(request)
            return show_new_codes(request, by=actor_of(request), user=user, is_new=True)
        form.add_error("code", WRONG_CODE)
        status = 422
    context = {**layout_of(request), "form": form, "secret": _secret(user)}
    return render(request, "accounts/second_factor_set_up.html", context, status=status or 200)


@account_page
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest) -> HttpResponse:
    """Turn it off, or for staff, who cannot be without it: go on to set up another app at once."""
    user = account_of(request)
    if second_factor_of(user) is None:
        return redirect("accounts:security")
    form = ProofForm(request.POST if request.method == "POST" else None)
    status = is_proven(request, form) if request.method == "POST" else 0
    if status != 200:
        return render(request, "accounts/second_factor_remove.html", {**layout_of(request), "form": form}, status=status or 200)
    try:
        remove_second_factor(by=actor_of(request), user=user, keep=this_session(request))
    except NoSecondFactor:
        return redirect("accounts:security")
    forget_second_factor(request)
    if user.is_staff:
        request.session[MAY_ENROLL] = True
        return redirect("accounts:second-factor")
    messages.success(request, _("The second step is off. Your password alone signs you in from now on."))
    return redirect("accounts:security")


def _secret(user: User) -> str:
    """In groups of four, for typing."""
    secret, _uri = enrollment_of(by=user.actor, user=user)
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
