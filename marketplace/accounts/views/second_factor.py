"""The second factor of staff: enroll an authenticator app once, then give a code at each sign-in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from marketplace.accounts.actions import enrollment_of
from marketplace.accounts.codes import qr_svg
from marketplace.accounts.errors import AlreadyEnrolled
from marketplace.accounts.forms import CodeForm
from marketplace.accounts.middleware import has_passed_second_factor, note_second_factor, open_to_half_signed_in
from marketplace.accounts.models import User


@open_to_half_signed_in
@login_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not isinstance(user, User) or not user.is_staff:
        return redirect("accounts:overview")
    if has_passed_second_factor(request):
        return redirect("admin:index")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if authenticate(request, user=user, code=form.cleaned_data["code"]):
            note_second_factor(request)
            return redirect(request.session.pop("next", reverse("admin:index")))
        form.add_error("code", _("This code is not right, or was used before. Wait for the next one."))
    return _ask(request, user, form)


def _ask(request: HttpRequest, user: User, form: CodeForm) -> HttpResponse:
    context: dict[str, Any] = {"form": form}
    try:
        secret, _uri = enrollment_of(by=user.actor, user=user)
        context["secret"] = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    except AlreadyEnrolled:
        pass
    return render(request, "accounts/second_factor.html", context, status=422 if form.errors else 200)


@open_to_half_signed_in
@login_required
@never_cache
@require_GET
def second_factor_picture(request: HttpRequest) -> HttpResponse:
    """The enrollment as a QR code, while the enrollment lasts."""
    user = request.user
    if not isinstance(user, User) or not user.is_staff:
        raise Http404
    try:
        _secret, uri = enrollment_of(by=user.actor, user=user)
    except AlreadyEnrolled:
        raise Http404 from None
    return HttpResponse(qr_svg(uri), content_type="image/svg+xml")
