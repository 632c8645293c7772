"""The staff site: stock Django admin behind our own sign-in and second factor, its front page the dashboard."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _

import marketplace.dashboard
import marketplace.trends  # noqa: F401  both add their cards
from marketplace.accounts.middleware import has_passed_second_factor
from marketplace.accounts.views import sign_out
from privacy.access.approvals.kinds import kind_named
from privacy.access.overrides.queries import overrides_in_force
from privacy.access.registrations import MATRIX_OVERRIDE
from privacy.policy.dashboard import cards_for, dashboard_card
from privacy.policy.matrix import BREAKS_GLASS, Answer
from privacy.policy.roles import Role
from privacy.policy.tables import matrix_rows

__all__ = ["StaffSite", "dashboard_card"]


class StaffSite(AdminSite):
    site_header = _("Marketplace staff")
    site_title = _("Marketplace staff")
    index_title = _("Privacy dashboard")
    site_url = "/"
    enable_nav_sidebar = True
    index_template = "admin/index.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Our own pages alone: a page that a library brings along decides by Django's permissions, which nobody has."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        super().register([model for model in models if model is not Group], admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Open account, staff role, and the second factor given in this session."""
        user = request.user
        return bool(user.is_active and getattr(user, "is_staff", False) and has_passed_second_factor(request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Our own sign-in, so that lock-out and second factor cannot be walked around."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", reverse("admin:index")), reverse("accounts:sign-in"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return sign_out(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return redirect("accounts:security")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("roles/", self.admin_view(self.roles), name="roles"), *super().get_urls()]

    def roles(self, request: HttpRequest) -> HttpResponse:
        """What each role may open, for everybody who works here."""
        context = {**self.each_context(request), "title": _("What each role may open"), "rows": matrix_rows()}
        context["is_nav_sidebar_enabled"] = False  # the table needs the width
        context |= {"roles": list(Role), "answers": list(Answer), "breaks_glass": [role.label for role in Role if role in BREAKS_GLASS]}
        context["overrides"] = overrides_in_force()
        context["may_ask"] = kind_named(MATRIX_OVERRIDE).may_propose(request.actor)  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/roles.html", context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        sections = cards_for(request.actor)  # type: ignore[attr-defined]
        return super().index(request, {"sections": sections, **(extra_context or {})})
