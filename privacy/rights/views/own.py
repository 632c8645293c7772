"""What all these pages share: only for the person, never stored by a browser (RIGHTS-6, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from privacy.access.forms import StrictForm
from privacy.access.guests import GuestSession, has_outlived_guest_session
from privacy.policy.roles import Actor, Role
from privacy.rights.attempts import confirm_password
from privacy.rights.errors import NotYourData, TooManyAttempts, WrongPassword
from privacy.rights.forms import ButtonForm, PasswordForm
from privacy.rights.models import Request
from privacy.vault.models import Subject

View = Callable[..., HttpResponseBase]


def own_page(view: View) -> View:
    """A page of the customer who is signed in, or let in as a guest; staff go to their own pages, visitors to the sign-in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        actor = actor_of(request)
        if actor.role != Role.CUSTOMER:
            return redirect("admin:index")
        if actor.id is not None:
            return view(request, *args, **kwargs)
        if has_outlived_guest_session(request):
            return render(request, "privacy/guest_ended.html", status=403)
        return redirect_to_login(request.get_full_path())

    return never_cache(guarded)


def actor_of(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def guest_of(request: HttpRequest) -> GuestSession | None:
    """The guest session under which this request acts; None for whoever has an account."""
    return request.guest  # type: ignore[attr-defined]


def subject_id_of(request: HttpRequest) -> UUID:
    subject_id = actor_of(request).id
    if subject_id is None:
        raise NotYourData
    return subject_id


def subject_of(request: HttpRequest) -> Subject:
    return Subject.objects.get(pk=subject_id_of(request))


def own_request(request: HttpRequest, request_id: UUID, kind: str | None = None) -> Request:
    """The person's own request; anybody else's is not found, exactly as one that does not exist."""
    asked = Request.objects.filter(pk=request_id, subject_id=subject_id_of(request))
    found = (asked.filter(kind=kind) if kind else asked).select_related("export", "erasure", "receipt").first()
    if found is None:
        raise Http404
    return found


def password_form(request: HttpRequest) -> StrictForm:
    """What a destructive step asks for: the password again, and of a guest, who has none, nothing but a fresh link."""
    form = ButtonForm if guest_of(request) else PasswordForm
    return form(request.POST if request.method == "POST" else None)


def password_confirmed(request: HttpRequest, form: StrictForm) -> int:
    """200 when the password given again is right, or a guest's link is fresh; else the status of the page that
    shows the form's error."""
    if not form.is_valid():
        return 422
    guest = guest_of(request)
    if guest is not None:
        if guest.is_fresh:
            return 200
        form.add_error(None, _("For this step we need a new link: it is more than 15 minutes since you followed the last one."))
        return 403
    try:
        confirm_password(request.user, form.cleaned_data["password"])
    except TooManyAttempts:
        form.add_error(None, _("That was wrong too often. Wait a quarter of an hour, then try again."))
        return 429
    except WrongPassword:
        form.add_error("password", _("This is not your password."))
        return 422
    return 200
