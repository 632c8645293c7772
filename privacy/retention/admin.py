"""Purge runs for staff: numbers, never people (CHANGE-3)."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from privacy.policy.admin import RoleAdmin
from privacy.policy.roles import Role
from privacy.retention.models import PurgeRun
from privacy.retention.queries import lines_of


@admin.register(PurgeRun)
class PurgeRunAdmin(RoleAdmin):
    viewers = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SECURITY, Role.ADMINISTRATOR})
    list_display = ["queued_at", "state", "dry_run", "result", "rows", "finished_at"]
    list_filter = ["state", "result", "dry_run"]
    date_hierarchy = "queued_at"
    fields = [
        "state",
        "progress",
        "dry_run",
        "result",
        "what_went",
        "queued_at",
        "started_at",
        "finished_at",
        "error",
    ]
    readonly_fields = ["what_went"]

    @admin.display(description=_("rows"))
    def rows(self, run: PurgeRun) -> int:
        return run.total

    @admin.display(description=_("what went"))
    def what_went(self, run: PurgeRun) -> SafeString | str:
        return format_html_join("", "<div>{}: {}</div>", lines_of(run)) or "–"
