"""Every request begins and ends at the gate: who calls is found out there, and a session is kept there (PROTECT-2)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from privacy.wall.context import entered
from privacy.wall.logins import Login


class GateMiddleware:
    """Runs the queries of the middlewares by the gate's login; the unit of work inside goes on by its caller's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with entered(Login.GATE):
            return self.get_response(request)
