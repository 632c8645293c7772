"""Where staff ask for an act, and where somebody else reads its plan and decides (COLLECT-5, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

import privacy.access.approvals.dashboard  # noqa: F401  adds its card
from privacy.access.approvals.actions import approve_proposal, propose, refuse_proposal, withdraw_proposal
from privacy.access.approvals.errors import PlanImpossible, ProposalError, RoleLost, TooLate, UnknownKind, Unrecorded
from privacy.access.approvals.forms import ApprovalForm, ProposalForm, RefusalForm, WithdrawalForm
from privacy.access.approvals.kinds import Plan, ProposalKind, fingerprint_of, kind_named
from privacy.access.approvals.models import Proposal
from privacy.access.approvals.queries import waiting_for
from privacy.access.forms import StrictForm
from privacy.policy.admin import RoleAdmin, staff_page
from privacy.policy.roles import STAFF_ROLES, Actor

FAILURES: dict[str, Promise] = {
    PlanImpossible.code: _("When it was to be done, it was no longer possible."),
    RoleLost.code: RoleLost.words,
    Unrecorded.code: Unrecorded.words,
    TooLate.code: _("Too much time had passed since the approval."),
    "error": _("It was tried several times and failed. Nothing of it was done."),
}


class WaitsFilter(admin.SimpleListFilter):
    """What the dashboard counts."""

    title = _("decision")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("for-me", _("waits for me"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> QuerySet[Proposal]:
        waiting = waiting_for(request.actor)  # type: ignore[attr-defined]
        return queryset.filter(pk__in=waiting.values("pk")) if self.value() else queryset


class AsksFirst(RoleAdmin):
    """A list whose rows come from acts of one kind: whoever may ask for one is led to its page."""

    asks_for: ClassVar[str]
    change_list_template = "admin/privacy/proposal/asks_first.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        kind = kind_named(self.asks_for)
        offered = kind if kind.may_propose(request.actor) else None  # type: ignore[attr-defined]
        return super().changelist_view(request, {"offered_kind": offered, **(extra_context or {})})


@admin.register(Proposal)
class ProposalAdmin(RoleAdmin):
    viewers = STAFF_ROLES
    own_forms = frozenset({"_approve", "_refuse", "_withdraw"})
    list_display = ["shown_kind", "state", "proposed_role", "proposed_at", "expires_at", "decided_role"]
    list_filter = [WaitsFilter, "state"]
    ordering = ["-proposed_at"]
    fields: ClassVar = ("shown_kind", "state", "proposed_at", "decided_at", "decided_role", "decided_by", "ended_at", "returns")
    readonly_fields = fields

    @admin.display(description=_("what"), ordering="kind")
    def shown_kind(self, proposal: Proposal) -> str:
        return str(kind_named(proposal.kind).label)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.propose_view)
        return [path("ask/<slug:kind>/", view, name="privacy_proposal_ask"), *super().get_urls()]

    # Asking

    def propose_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Asking changes nothing yet: the next page shows the plan, and the question can be withdrawn."""
        rule, actor = self._proposable(request, kind), request.actor  # type: ignore[attr-defined]
        assert rule.form is not None  # noqa: S101  _proposable lets nothing else through
        form = rule.form(actor, request.POST) if request.method == "POST" else rule.form(actor, initial=_initial(request.GET))
        if request.method == "POST" and form.is_valid():
            answer = self._propose(request, rule, form)
            if answer is not None:
                return answer
        context = {**self.admin_site.each_context(request), "title": rule.label, "kind": rule, "form": form}
        return render(request, "admin/privacy/proposal/ask.html", context, status=422 if form.errors else 200)

    def _propose(self, request: HttpRequest, kind: ProposalKind, form: ProposalForm) -> HttpResponse | None:
        given = form.cleaned_data
        try:
            proposal = propose(
                by=request.actor,  # type: ignore[attr-defined]
                kind=kind.name,
                parameters=form.parameters(),
                why=given["why"],
                id=given["proposal"],
            )
        except ProposalError as refusal:
            form.add_error(None, str(refusal))
            return None
        messages.success(request, _("Asked. Somebody else decides within 72 hours, and you get a mail."))
        return redirect(proposal)

    def _proposable(self, request: HttpRequest, name: str) -> ProposalKind:
        try:
            kind = kind_named(name)
        except UnknownKind:
            raise Http404 from None
        if kind.form is None:
            raise Http404
        if not kind.may_propose(request.actor):  # type: ignore[attr-defined]
            raise PermissionDenied
        return kind

    # Deciding

    def case_context(self, request: HttpRequest, obj: Proposal) -> dict[str, Any]:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        kind = kind_named(obj.kind)
        plan = plan_of(kind, obj) if obj.state in Proposal.OPEN else None
        may_decide = obj.is_waiting and kind.may_decide(actor, obj)
        made = kind.made(obj)
        return {
            **super().case_context(request, obj),
            "title": kind.label,
            "looks_at": kind.looks_at(obj.parameters) if kind.concerns(actor) else (),
            "made_address": staff_page(request, made._meta.label_lower, made.pk) if made else "",
            "proposal": obj,
            "kind": kind,
            "plan": plan,
            "failure": FAILURES.get(obj.failure, ""),
            "results": [(kind.results.get(name, name), number) for name, number in obj.result.items()],
            "approval_form": _approval_form(obj, plan) if may_decide and plan else None,
            "refusal_form": RefusalForm() if may_decide else None,
            "may_withdraw": obj.is_waiting and obj.is_from(actor.id),
            "case_panels": ["admin/privacy/proposal/panel.html"],
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A refusal without words shows the page again."""
        proposal = self.get_object(request, object_id)
        step = next((name for name in _STEPS if name in request.POST), None) if request.method == "POST" else None
        if isinstance(proposal, Proposal) and step is not None and self.has_view_permission(request, proposal):
            make_form, take, done = _STEPS[step]
            form = make_form(request.POST)
            if form.is_valid():
                return self._take(request, proposal, take, form, done)
            extra_context = {**(extra_context or {}), "refusal_form" if step == "_refuse" else "bad_form": form}
        return super().change_view(request, object_id, form_url, extra_context)

    def _take(self, request: HttpRequest, proposal: Proposal, take: Callable[..., None], form: StrictForm, done: Promise) -> HttpResponse:
        try:
            take(by=request.actor, proposal=proposal, **form.cleaned_data)  # type: ignore[attr-defined]
        except ProposalError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, str(done))
        return redirect(proposal)


def _initial(query: QueryDict) -> dict[str, str]:
    """As addresses and lists hand it over: several values of one name stand one in a line."""
    return {name: "\n".join(str(value) for value in values) for name, values in query.lists()}


def _approval_form(proposal: Proposal, plan: Plan) -> ApprovalForm:
    return ApprovalForm(initial={"seen": fingerprint_of(proposal.kind, proposal.parameters, plan)})


def plan_of(kind: ProposalKind, proposal: Proposal) -> Plan | None:
    """As it would be done now; None when it is no longer possible."""
    try:
        return kind.describe(proposal.parameters)
    except PlanImpossible:
        return None


_STEPS: dict[str, tuple[type[StrictForm], Callable[..., None], Promise]] = {
    "_approve": (ApprovalForm, approve_proposal, _("Approved. It is being done now; this page shows the result.")),
    "_refuse": (RefusalForm, refuse_proposal, _("Refused. Whoever asked gets a mail.")),
    "_withdraw": (WithdrawalForm, withdraw_proposal, _("Withdrawn. Nothing was done.")),
}
