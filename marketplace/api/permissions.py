"""Which calls are let in. The framework asks here once a call, with the view at hand; the rooms decide the rest."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from marketplace.api.errors import ParameterUnknown, ScopeMissing, SessionNeeded, StaffRefused
from marketplace.api.pagination import PageQuery
from privacy.interface.areas import scopes_for
from privacy.policy.roles import Role


class MayCall(BasePermission):
    """A known method, nobody's address or the person's own, a token made for it, and no unknown query parameter."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method not in view.allowed_methods:
            return True  # answered as such: whoever calls, the method does not exist
        if view.area is not None and not self._is_let_in(request, view):
            return False
        self._refuse_unknown_parameters(request, view)
        return True

    def _is_let_in(self, request: Request, view: Any) -> bool:
        actor: Any = request.actor  # type: ignore[attr-defined]
        if actor.id is None:
            return False
        if actor.role != Role.CUSTOMER:
            raise StaffRefused
        if request.auth is not None:
            self._refuse_beyond_token(request, view)
        return True

    def _refuse_beyond_token(self, request: Request, view: Any) -> None:
        if request.method in view.asks_password:
            raise SessionNeeded
        if not scopes_for(view.area, is_safe=request.method in SAFE_METHODS) & set(request.auth.scopes):  # type: ignore[union-attr]
            raise ScopeMissing

    def _refuse_unknown_parameters(self, request: Request, view: Any) -> None:
        known = parameters_of(view) if request.method in SAFE_METHODS else set()
        if set(request.query_params) - known:
            raise ParameterUnknown(", ".join(sorted(known)))


def parameters_of(view: Any) -> set[str]:
    """The query parameters that a reading call of this address takes."""
    own = set(view.query().fields) if view.query else set()
    return own | (set(PageQuery().fields) if getattr(view, "is_list", False) else set())
