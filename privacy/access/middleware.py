"""Each request is one unit of work by the login of whoever calls, rendering included (USE-3, PROTECT-2)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from privacy.access.places import place_of
from privacy.access.units import current_unit, unit_of_work
from privacy.vault.errors import Unreadable, VaultUnavailable
from privacy.wall.context import entered


class UnitOfWorkMiddleware:
    """Wraps view and rendering in one transaction; a view that raises or answers 5xx leaves nothing but refusals."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with entered(*place_of(request)), unit_of_work() as unit:
            response = self.get_response(request)
            if response.status_code >= 500:
                unit.failed = True
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        current_unit().failed = True
        if isinstance(exception, VaultUnavailable):
            return render(request, "vault_unavailable.html", status=503)
        if isinstance(exception, Unreadable):
            return render(request, "value_unreadable.html", status=500)
        return None
