"""Each request is one unit of work, rendering included (USE-3, PROTECT-2)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from privacy.access.units import current_unit, unit_of_work
from privacy.vault.errors import VaultUnavailable


class UnitOfWorkMiddleware:
    """Wraps view and rendering in one transaction; a view that raises or answers 5xx leaves nothing but refusals."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with unit_of_work() as unit:
            response = self.get_response(request)
            if response.status_code >= 500:
                unit.failed = True
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        current_unit().failed = True
        if isinstance(exception, VaultUnavailable):
            return render(request, "vault_unavailable.html", status=503)
        return None
