"""The staff's pages for what is published: who runs the shop, and the versions of the policy (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from privacy.policy.actions import change_operator
from privacy.policy.admin import Button, RoleAdmin
from privacy.policy.errors import AlreadyInForce, ChangedMeanwhile
from privacy.policy.models import OperatorIdentity, PolicyText, PolicyVersion
from privacy.policy.operator import operator
from privacy.policy.roles import STAFF_ROLES, Role
from privacy.publication.actions import withdraw_announcement
from privacy.publication.models import PolicyNotice
from privacy.publication.operator_form import OperatorForm

CHANGED_MEANWHILE = gettext_lazy(
    "Somebody else changed this while you were writing. Open the page anew in another window and compare; what you wrote is kept here."
)


def saved(form: BaseForm, save: Callable[[], object]) -> bool:
    """Whether ``save`` went through; what somebody else changed meanwhile becomes an error of the form."""
    try:
        save()
    except ChangedMeanwhile:
        form.add_error(None, CHANGED_MEANWHILE)
        return False
    return True


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
        if form.is_valid() and saved(form, lambda: self._publish(request, form)):
            messages.success(request, _("Published. It shows on every page from now on."))
            return redirect("admin:privacy_operatoridentity_changelist")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Who runs the shop"), "form": form}
        return TemplateResponse(request, "admin/operator_form.html", context, status=422 if form.errors else 200)

    def _publish(self, request: HttpRequest, form: OperatorForm) -> None:
        actor = request.actor  # type: ignore[attr-defined]
        change_operator(by=actor, based_on=form.cleaned_data["based_on"], values=form.values)


class ReadOnlyInline(admin.TabularInline):
    """Rows that belong to a version, to be read."""

    can_delete = False
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PolicyTextInline(ReadOnlyInline):
    model = PolicyText
    fields = ["locale", "title", "sha256"]


class PolicyNoticeInline(ReadOnlyInline):
    model = PolicyNotice
    fields = ["kind", "state", "told", "queued_at", "finished_at"]


@admin.register(PolicyVersion)
class PolicyVersionAdmin(RoleAdmin):
    list_display = ["number", "announced_at", "effective_at", "is_withdrawn"]
    list_select_related = ["withdrawal"]
    inlines = [PolicyTextInline, PolicyNoticeInline]
    buttons = [
        Button(
            name="withdraw",
            label=gettext_lazy("Withdraw the announcement"),
            does=gettext_lazy("This version will never take effect. Everybody who was told of it gets a mail; its words stay to be read."),
            action=lambda by, version: withdraw_announcement(by=by, version=version),
            roles=frozenset({Role.PRIVACY_OFFICER}),
            when=lambda version: version.is_to_come,
            refusals=(AlreadyInForce,),
            is_dangerous=True,
        )
    ]

    @admin.display(boolean=True, description=gettext_lazy("withdrawn"))
    def is_withdrawn(self, version: PolicyVersion) -> bool:
        return version.is_withdrawn
