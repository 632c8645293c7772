"""Requests for staff: clocks and steps, never a value (RIGHTS-7)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from privacy.access.admin import explain
from privacy.access.assignment_pages import GIVE_PANEL, AssignedAdmin, AssignedFilter, assignment_buttons, with_mine
from privacy.access.errors import AccessDenied
from privacy.policy.admin import TOO_LATE, Button, RoleAdmin, SetFilter
from privacy.policy.roles import Actor, Role
from privacy.rights import dashboard  # noqa: F401  adds its card
from privacy.rights.actions import retry_request
from privacy.rights.assigning import assign_request, release_request
from privacy.rights.correctable import about_words
from privacy.rights.decisions import decide_request
from privacy.rights.errors import NotCorrectable, TooLate
from privacy.rights.forms import AnswerForm
from privacy.rights.models import Receipt, Request
from privacy.rights.queries import OFFICERS, detail_of, steps_of
from privacy.vault.records import PersonalRecord

OVERSIGHT = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR})


@admin.register(Request)
class RequestAdmin(AssignedAdmin):
    """A request with its clock, what was written about it as masks, and the decision where a person decides."""

    viewers = OVERSIGHT
    refusal = TooLate
    own_forms = AssignedAdmin.own_forms | {"_decide"}
    list_display = ["code", "kind", "state", "made_at", "due_at", "completed_at", "shown_agent"]
    list_filter = [AssignedFilter, "kind", "state"]
    search_fields = ["code__exact"]
    date_hierarchy = "made_at"
    fields = ["code", "kind", "state", "made_at", "effective_at", "due_at", "completed_at", "outcome", "progress", "steps"]
    readonly_fields = ["progress", "steps"]
    buttons = [
        *assignment_buttons(
            take=lambda actor, asked: assign_request(by=actor, request=asked, seen=asked.seen_holder),
            release=lambda actor, asked: release_request(by=actor, request=asked, seen=asked.seen_holder),
            roles=OFFICERS,
            refusal=TooLate,
        ),
        Button(
            name="retry",
            label=_("Try again"),
            does=_("Gives the work that failed to a worker again; steps that were done stay done."),
            action=lambda by, obj: retry_request(by=by, request=obj),
            roles=OFFICERS,
            when=lambda obj: obj.has_failed_work,
            refusals=(TooLate,),
        ),
    ]

    def workers_of(self, obj: Request) -> frozenset[Role]:
        return OFFICERS

    def give(self, by: Actor, obj: Request, agent: UUID) -> object:
        return assign_request(by=by, request=obj, agent=agent, seen=obj.seen_holder)

    def personal_records(self, obj: Request) -> list[PersonalRecord]:
        detail = detail_of(obj)
        return [detail] if detail else []

    def case_context(self, request: HttpRequest, obj: Request) -> dict[str, Any]:
        may_decide = obj.is_for_staff and self._role(request) in OFFICERS
        return {
            **super().case_context(request, obj),
            "asked": obj,
            "about": about_words(obj, detail_of(obj)),
            "history": steps_of(obj),
            "answer_form": AnswerForm() if may_decide else None,
            "case_panels": ["privacy/admin_request.html", GIVE_PANEL],
        }

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A decision that was refused is shown again, with what was typed."""
        obj = self.get_object(request, object_id) if request.method == "POST" and "_decide" in request.POST else None
        if not isinstance(obj, Request) or not self.has_view_permission(request, obj):
            return super().change_view(request, object_id, form_url, extra_context)
        if self._role(request) not in OFFICERS:
            raise PermissionDenied
        form = AnswerForm(request.POST)
        if form.is_valid() and self._is_decided(request, obj, form):
            return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "answer_form": form})

    def _is_decided(self, request: HttpRequest, obj: Request, form: AnswerForm) -> bool:
        """A request that has been decided meanwhile, or whose record is gone, stays as it is."""
        is_granted = request.POST["_decide"] == "grant"
        actor = request.actor  # type: ignore[attr-defined]
        try:
            decide_request(by=actor, request=obj, is_granted=is_granted, answer=form.cleaned_data["answer"])
        except AccessDenied as refusal:
            form.add_error(None, explain(refusal))
            return False
        except TooLate:
            messages.warning(request, TOO_LATE)
        except NotCorrectable:
            messages.error(request, _("The record is gone, so there is nothing to correct any more. You can only reject."))
        else:
            messages.success(request, _("Answered. The person gets a mail and reads it on their page."))
        return True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return with_mine(super().get_queryset(request).select_related("export", "erasure"), request.actor)  # type: ignore[attr-defined]

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
    list_filter = [("records_ended_at", SetFilter)]
    list_select_related = ["request"]
    date_hierarchy = "issued_at"
