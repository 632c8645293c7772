"""Requests for staff: clocks and steps, never a value (RIGHTS-7)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from privacy.policy.admin import Button, RoleAdmin
from privacy.policy.roles import Role
from privacy.rights.actions import retry_request
from privacy.rights.errors import TooLate
from privacy.rights.models import Receipt, Request

OVERSIGHT = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR})


@admin.register(Request)
class RequestAdmin(RoleAdmin):
    viewers = OVERSIGHT
    list_display = ["code", "kind", "state", "made_at", "due_at", "completed_at"]
    list_filter = ["kind", "state"]
    search_fields = ["code__exact"]
    date_hierarchy = "made_at"
    fields = ["code", "kind", "state", "made_at", "effective_at", "due_at", "completed_at", "outcome", "progress", "steps"]
    readonly_fields = ["progress", "steps"]
    buttons = [
        Button(
            name="retry",
            label=_("Try again"),
            does=_("Gives the work that failed to a worker again; steps that were done stay done."),
            action=lambda by, obj: retry_request(by=by, request=obj),
            roles=frozenset({Role.PRIVACY_OFFICER}),
            when=lambda obj: obj.has_failed_work,
            refusals=(TooLate,),
        )
    ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("export", "erasure")

    @admin.display(description=_("progress"))
    def progress(self, obj: Request) -> str:
        return f"{obj.work.progress} %" if obj.work else "–"

    @admin.display(description=_("steps"))
    def steps(self, obj: Request) -> str:
        done = getattr(obj.work, "steps", {})
        return ", ".join(sorted(done, key=done.__getitem__)) or "–"


@admin.register(Receipt)
class ReceiptAdmin(RoleAdmin):
    viewers = OVERSIGHT
    list_display = ["request", "issued_at", "records_ended_at"]
    list_filter = [("records_ended_at", admin.EmptyFieldListFilter)]
    list_select_related = ["request"]
    date_hierarchy = "issued_at"
