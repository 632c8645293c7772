"""Requests for staff: clocks and steps, never a value (RIGHTS-7)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from privacy.access.admin import OpenableAdmin
from privacy.policy.admin import TOO_LATE, Button, RoleAdmin
from privacy.policy.roles import Role
from privacy.rights.actions import retry_request
from privacy.rights.correctable import about_words
from privacy.rights.decisions import DECIDERS, decide_request
from privacy.rights.errors import NotCorrectable, TooLate
from privacy.rights.forms import AnswerForm
from privacy.rights.models import Receipt, Request
from privacy.rights.queries import detail_of, steps_of
from privacy.vault.records import PersonalRecord

OVERSIGHT = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR})


@admin.register(Request)
class RequestAdmin(OpenableAdmin):
    """A request with its clock, what was written about it as masks, and the decision where a person decides."""

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

    def personal_records(self, obj: Request) -> list[PersonalRecord]:
        detail = detail_of(obj)
        return [detail] if detail else []

    def case_context(self, request: HttpRequest, obj: Request) -> dict[str, Any]:
        may_decide = obj.is_for_staff and self._role(request) in DECIDERS
        return {
            **super().case_context(request, obj),
            "asked": obj,
            "about": about_words(obj, detail_of(obj)),
            "history": steps_of(obj),
            "answer_form": AnswerForm(request.POST if "_decide" in request.POST else None) if may_decide else None,
            "case_panels": ["privacy/admin_request.html"],
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A decision without an answer shows the page again, with what was typed."""
        if request.method == "POST" and "_decide" in request.POST:
            request.method = "GET"
        return super().changeform_view(request, object_id, form_url, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        form = AnswerForm(request.POST) if request.method == "POST" and "_decide" in request.POST else None
        if form is not None and isinstance(obj, Request) and self.has_view_permission(request, obj) and form.is_valid():
            return self._decide(request, obj, form)
        return super().change_view(request, object_id, form_url, extra_context)

    def _decide(self, request: HttpRequest, obj: Request, form: AnswerForm) -> HttpResponse:
        """A request that has been decided meanwhile, or whose record is gone, stays as it is."""
        is_granted = request.POST["_decide"] == "grant"
        actor = request.actor  # type: ignore[attr-defined]
        try:
            decide_request(by=actor, request=obj, is_granted=is_granted, answer=form.cleaned_data["answer"])
        except TooLate:
            messages.warning(request, TOO_LATE)
        except NotCorrectable:
            messages.error(request, _("The record is gone, so there is nothing to correct any more. You can only reject."))
        else:
            messages.success(request, _("Answered. The person gets a mail and reads it on their page."))
        return HttpResponseRedirect(request.path)

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
