"""Who acts in this request: said once, here, and handed on as an argument from then on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from marketplace.accounts.models import User
from privacy.access.guests import GuestSession, guest_session
from privacy.policy.roles import ANONYMOUS, Actor, Role

PASSED_AT = "second_factor_at"
PASSED_FOR = timedelta(hours=12)


def note_second_factor(request: HttpRequest) -> None:
    """Remember in this session, under a new key, that the second factor was given just now."""
    request.session.cycle_key()
    request.session[PASSED_AT] = timezone.now().isoformat()


def forget_second_factor(request: HttpRequest) -> None:
    """From now on the second factor is missing in this session."""
    request.session.pop(PASSED_AT, None)


def has_passed_second_factor(request: HttpRequest) -> bool:
    """Whether the second factor was given in this session; for staff it counts for twelve hours."""
    passed_at = request.session.get(PASSED_AT)
    if passed_at is None:
        return False
    return not getattr(request.user, "is_staff", False) or timezone.now() - datetime.fromisoformat(passed_at) < PASSED_FOR


def is_half_signed_in(request: HttpRequest) -> bool:
    """Whose password was right and whose second factor is still missing: staff, and customers who have one."""
    user = request.user
    return isinstance(user, User) and user.needs_second_factor and not has_passed_second_factor(request)


def actor_of(request: HttpRequest) -> Actor:
    """The person signed in or let in as a guest; nobody in particular before that, and before the second factor."""
    if not isinstance(request.user, User) and not request.user.is_authenticated:
        guest: GuestSession | None = request.guest  # type: ignore[attr-defined]
        return Actor(Role.CUSTOMER, id=guest.subject_id) if guest else ANONYMOUS
    if is_half_signed_in(request):
        return ANONYMOUS
    return request.user.actor


def open_to_half_signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Marks the pages that are seen between password and second factor."""
    view.open_to_half_signed_in = True  # type: ignore[attr-defined]
    return view


class ActorMiddleware:
    """Sets ``request.actor`` and ``request.guest``; leads whoever has not given the second factor to its page.

    Whatever they asked for; and the use of a session is noted, to the hour.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.guest = guest_session(request)  # type: ignore[attr-defined]
        request.actor = actor_of(request)  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            request.session.note_seen()  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        is_program = getattr(request, "token", None) is not None  # its token was made by somebody wholly signed in
        if is_half_signed_in(request) and not is_program and not getattr(view, "open_to_half_signed_in", False):
            return redirect("accounts:second-factor")
        return None
