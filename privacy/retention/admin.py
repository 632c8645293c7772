"""Purge runs and holds for staff: numbers and random ids, never people (CHANGE-3, RIGHTS-8)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from privacy.policy.admin import Button, RoleAdmin, SetFilter
from privacy.policy.roles import Actor, Role
from privacy.retention.errors import HoldNotPossible, RoleMayNot
from privacy.retention.forms import HoldForm
from privacy.retention.holds import PLACES_HOLDS, place_hold
from privacy.retention.models import Hold, PurgeRun
from privacy.retention.queries import lines_of
from privacy.retention.registrations import HOLD_RELEASE


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


def _asks_first(actor: Actor, hold: Hold) -> None:
    raise RoleMayNot


@admin.register(Hold)
class HoldAdmin(RoleAdmin):
    """Placed by one person, released early by two, and over by itself."""

    viewers = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR, Role.ADMINISTRATOR})
    editors = PLACES_HOLDS
    list_display = ["ground", "until", "placed_at", "released_at"]
    list_filter = ["ground", ("released_at", SetFilter)]
    ordering = ["-placed_at"]
    fields = ["person", "ground", "until", "placed_at", "placed_by", "released_at", "release"]
    readonly_fields = ["person"]
    buttons = [
        Button(
            name="release",
            label=_("Release it early"),
            does=_("Asks why. Somebody else then reads what would go, and decides."),
            action=_asks_first,
            roles=PLACES_HOLDS,
            when=lambda hold: hold.is_in_force,
            is_dangerous=True,
        )
    ]

    @admin.display(description=_("person"))
    def person(self, hold: Hold) -> str:
        return str(hold.subject_id)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = HoldForm(request.POST if request.method == "POST" else None, initial={"person": request.GET.get("person", "")})
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                hold = place_hold(by=request.actor, subject=given["person"], ground=given["ground"], until=given["until"])  # type: ignore[attr-defined]
            except HoldNotPossible:
                form.add_error(None, _("Nothing was changed: this person's data has gone meanwhile."))
            else:
                messages.success(request, _("Placed. No purge and no erasure takes this person's data until that day."))
                return redirect(hold)
        context = {**self.admin_site.each_context(request), "title": _("Place a hold"), "form": form}
        return render(request, "admin/privacy/hold/place.html", context, status=422 if form.errors else 200)

    def _press(self, request: HttpRequest, obj: Hold) -> HttpResponse:
        if request.POST["_button"] == "release" and self._role(request) in PLACES_HOLDS and obj.is_in_force:
            return redirect(reverse("admin:privacy_proposal_ask", args=[HOLD_RELEASE], query={"hold": obj.pk}))
        return super()._press(request, obj)
