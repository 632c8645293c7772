"""Who calls: the person whose session the browser holds, or the owner of the token that the program sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from marketplace.accounts.actions import note_token_used
from marketplace.accounts.models import ApiToken
from marketplace.accounts.queries import token_with_secret
from marketplace.api.errors import CrossSiteCall
from marketplace.api.problems import CONTENT_TYPE, PROBLEMS, answer_problem
from marketplace.api.throttling import add_rate_headers

PREFIX = "/api/"


class ApiMiddleware:
    """Sets ``request.token``, and the token's owner as user and actor, before the unit of work begins.

    Tokens count under ``/api/`` alone. A token beside a session's cookie wins; one that does not work is refused
    and never passed over in favor of the session. No answer is kept by whoever carries it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        _recognize(request)
        response = self.get_response(request)
        if response.status_code >= 500 and response["Content-Type"] != CONTENT_TYPE:  # it broke while it was rendered
            response = answer_problem(request, PROBLEMS["vault" if response.status_code == 503 else "fault"])
        response.headers.setdefault("Cache-Control", "no-store")
        add_rate_headers(response, getattr(request, "rate_limit", None))
        return response


def _recognize(request: Any) -> None:
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    request.token, request.is_token_refused = None, bool(scheme)
    token = token_with_secret(secret.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        return
    note_token_used(token=token)
    request.token, request.is_token_refused = token, False
    request.user, request.actor = token.user, token.user.actor


class CallerAuthentication(SessionAuthentication):
    """What the middlewares have found, as the framework asks for it; a session's call needs its CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken | None] | None:
        call: Any = request._request
        if call.is_token_refused:
            raise AuthenticationFailed
        if call.token is None and call.actor.id is None:
            return None
        if call.token is None:
            self._refuse_cross_site(request)
        return call.user, call.token

    def _refuse_cross_site(self, request: Request) -> None:
        try:
            self.enforce_csrf(request)
        except PermissionDenied:  # its message quotes the header
            raise CrossSiteCall from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
