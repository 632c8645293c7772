"""The staff's pages for what is published (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from privacy.policy.actions import change_operator
from privacy.policy.admin import RoleAdmin
from privacy.policy.errors import ChangedMeanwhile
from privacy.policy.models import OperatorIdentity
from privacy.policy.operator import operator
from privacy.policy.roles import STAFF_ROLES, Role
from privacy.publication.operator_form import OperatorForm

CHANGED_MEANWHILE = gettext_lazy(
    "Somebody else changed this while you were writing. Open the page anew in another window and compare; yours is kept here."
)


@admin.register(OperatorIdentity)
class OperatorIdentityAdmin(RoleAdmin):
    """Who runs the shop: the newest change counts, the earlier ones stay to be read."""

    viewers = STAFF_ROLES
    editors = frozenset({Role.ADMINISTRATOR, Role.PRIVACY_OFFICER})
    list_display = ["number", "name", "changed_at", "changed_by"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The newest identity to change; saving makes a new one."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = OperatorForm(request.POST or None, instance=operator())
        if request.method == "POST" and form.is_valid() and self._is_published(request, form):
            messages.success(request, _("Published. It shows on every page from now on."))
            return redirect("admin:privacy_operatoridentity_changelist")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Who runs the shop"), "form": form}
        return TemplateResponse(request, "admin/operator_form.html", context, status=422 if form.errors else 200)

    def _is_published(self, request: HttpRequest, form: OperatorForm) -> bool:
        actor = request.actor  # type: ignore[attr-defined]
        try:
            change_operator(by=actor, based_on=form.cleaned_data["based_on"], values=form.values)
        except ChangedMeanwhile:
            form.add_error(None, CHANGED_MEANWHILE)
            return False
        return True
