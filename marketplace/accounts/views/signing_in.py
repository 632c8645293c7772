"""Sign in and out."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts.actions import end_session, refuse_session, start_session
from marketplace.accounts.forms import SignInForm
from marketplace.accounts.language import speak
from marketplace.accounts.middleware import is_half_signed_in, open_to_half_signed_in
from marketplace.accounts.models import User
from marketplace.accounts.returning import way_back
from privacy.access.places import at_the_gate
from privacy.rights.forms import ButtonForm


def next_address(request: HttpRequest, user: User) -> str:
    """Where somebody was going, if that is one of our own pages; else their front page."""
    return way_back(request) or reverse("admin:index" if user.is_staff else "accounts:overview")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User) and not is_half_signed_in(request):
        return redirect(next_address(request, request.user))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email, password = form.cleaned_data["email"], form.cleaned_data["password"]
        user = authenticate(request, username=email, password=password)
        if isinstance(user, User):
            return _let_in(request, user)
        refuse_session(by=request.actor, request=request, email=email)  # type: ignore[attr-defined]
        form.add_error(None, _("This email address and password do not belong to an account that we can open."))
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next") or ""}
    return render(request, "accounts/sign_in.html", context, status=422 if form.errors else 200)


def _let_in(request: HttpRequest, user: User) -> HttpResponse:
    address = next_address(request, user)
    start_session(by=user.actor, request=request, user=user)
    if user.needs_second_factor:
        request.session["next"] = address
        return redirect("accounts:second-factor")
    return speak(redirect(address), user.locale)


@at_the_gate("sessions")
@open_to_half_signed_in
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    form = ButtonForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/sign_out.html", {"form": form}, status=422)
    actor = request.user.actor if isinstance(request.user, User) else request.actor  # type: ignore[attr-defined]
    if actor.id is not None:
        end_session(by=actor, request=request)
    return redirect("/")
