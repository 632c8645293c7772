"""Exports by staff: how far, how large, for how long; the file itself for whoever asked alone (COLLECT-5, PROTECT-3)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from privacy.access.approvals.admin import AsksFirst
from privacy.access.overrides.queries import OVERRIDABLE
from privacy.policy.roles import Actor, Role
from privacy.rights.forms import PasswordForm
from privacy.rights.views.own import password_confirmed
from privacy.staff_exports.actions import download_export, may_download
from privacy.staff_exports.errors import ExportError
from privacy.staff_exports.kinds import kind_of
from privacy.staff_exports.models import StaffExport
from privacy.staff_exports.registrations import STAFF_EXPORT

OVERSIGHT = frozenset({Role.PRIVACY_OFFICER, Role.SECURITY, Role.AUDITOR})


@admin.register(StaffExport)
class StaffExportAdmin(AsksFirst):
    asks_for = STAFF_EXPORT
    viewers = OVERSIGHT | frozenset(OVERRIDABLE)
    list_display = ["id", "state", "people", "rows", "downloads", "expires_at"]
    list_filter = ["state"]
    list_select_related = ["proposal"]
    ordering = ["-queued_at"]
    fields: ClassVar = ("state", "progress", "people", "left_out", "rows", "queued_at", "expires_at", "downloads", "error", "proposal")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffExport]:
        """Oversight sees all, everybody else their own."""
        found = super().get_queryset(request)
        return found if self._role(request) in OVERSIGHT else found.filter(proposal__proposed_by=request.actor.id)  # type: ignore[attr-defined]

    @admin.display(description=_("people"))
    def people(self, export: StaffExport) -> int:
        return len(export.subject_ids)

    def get_urls(self) -> list[URLPattern]:
        view = never_cache(sensitive_post_parameters()(self.admin_site.admin_view(self.download_view)))
        return [path("<uuid:export_id>/download/", view, name="privacy_staffexport_download"), *super().get_urls()]

    def case_context(self, request: HttpRequest, obj: StaffExport) -> dict[str, Any]:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        return {
            **super().case_context(request, obj),
            "export": obj,
            "may_download": may_download(actor, obj) and obj.can_be_downloaded,
            "case_panels": ["admin/privacy/staffexport/panel.html"],
        }

    def download_view(self, request: HttpRequest, export_id: UUID) -> HttpResponseBase:
        """Asks for the password, then hands the file out; its name says nothing but its id."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        export = self.get_object(request, str(export_id))
        if export is None or not may_download(request.actor, export):  # type: ignore[attr-defined]
            raise Http404
        form = PasswordForm(request.POST if request.method == "POST" else None)
        status = password_confirmed(request, form) if request.method == "POST" else 200
        if request.method == "POST" and status == 200:
            return self._hand_out(request, export)
        context = {**self.admin_site.each_context(request), "title": _("Download the export"), "export": export, "form": form}
        return render(request, "admin/privacy/staffexport/download.html", context, status=status)

    def _hand_out(self, request: HttpRequest, export: StaffExport) -> HttpResponseBase:
        try:
            chunks, size = download_export(by=request.actor, export=export)  # type: ignore[attr-defined]
        except ExportError:
            messages.error(request, _("It cannot be downloaded: it is not ready, its day is over, or exports were turned off."))
            return redirect(export)
        kind = kind_of(export)
        disposition = f'attachment; filename="{export.pk}.{kind.suffix}"'
        headers = {"Content-Length": str(size), "Content-Disposition": disposition}
        return StreamingHttpResponse(chunks, content_type=kind.content_type, headers=headers)
