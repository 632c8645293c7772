"""One act on many rows of a staff list: few at once by one person, more by two (COLLECT-5, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from privacy.access.approvals.actions import propose
from privacy.access.approvals.errors import PlanChanged, PlanImpossible, ProposalError, RoleMayNot
from privacy.access.approvals.forms import words_field
from privacy.access.approvals.kinds import Parameters, Plan, ProposalKind, fingerprint_of, register_proposal_kind
from privacy.access.approvals.models import Proposal
from privacy.access.forms import StrictForm
from privacy.policy.admin import RoleAdmin
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7

MOST_AT_ONCE = 500


@dataclass(frozen=True)
class MassAct:
    """``act(by, row)`` for each chosen row that is still among ``possible()``; ``refusals`` leave a row as it is.

    Rows have a ``subject_id``. ``roles`` may do it to one row anyway; ``approvers`` decide about many.
    """

    name: str
    label: Promise | str
    does: Promise | str
    possible: Callable[[], models.QuerySet[Any]]
    act: Callable[[Actor, Any], object]
    roles: frozenset[Role]
    approvers: frozenset[Role]
    refusals: tuple[type[Exception], ...] = ()


def register_mass_act(act: MassAct) -> None:
    register_proposal_kind(
        ProposalKind(
            name=act.name,
            label=act.label,
            does=act.does,
            proposers=act.roles,
            approvers=act.approvers,
            describe=lambda parameters: plan_act(act, parameters),
            perform=lambda proposal: _perform(act, proposal),
            results={"done": gettext_lazy("done"), "left": gettext_lazy("left as they are")},
        )
    )


def plan_act(act: MassAct, parameters: Parameters) -> Plan:
    """Which of the chosen rows it would change now. Raises PlanImpossible for none, and for more than 500."""
    chosen = parameters["ids"]
    found = list(act.possible().filter(pk__in=chosen).order_by("pk").values_list("pk", "subject_id"))
    if not found or len(chosen) > MOST_AT_ONCE:
        raise PlanImpossible
    people, left = len({subject_id for _id, subject_id in found if subject_id}), len(chosen) - len(found)
    lines = [act.does, ngettext("It is done to %(number)d row.", "It is done to %(number)d rows.", len(found)) % {"number": len(found)}]
    if left:
        lines.append(
            ngettext("%(number)d other stays as it is.", "%(number)d others stay as they are.", left) % {"number": left},
        )
    return Plan(lines, {"rows": [id for id, _subject_id in found]}, people=people, rows=len(found))


def act_on_few(*, by: Actor, act: MassAct, ids: list[str], seen: str) -> Mapping[str, int]:
    """Do it at once, alone. Raises RoleMayNot, also for more rows than one person may change, PlanChanged, PlanImpossible."""
    if by.role not in act.roles or len(ids) > settings.MASS_ACTION_LIMIT:
        raise RoleMayNot
    if fingerprint_of(act.name, {"ids": ids}, plan_act(act, {"ids": ids})) != seen:
        raise PlanChanged
    return _do(act, by, ids)


def _perform(act: MassAct, proposal: Proposal) -> Mapping[str, int]:
    return _do(act, proposal.proposer, proposal.parameters["ids"])


@transaction.atomic
def _do(act: MassAct, by: Actor, ids: list[str]) -> Mapping[str, int]:
    result = {"done": 0, "left": 0}
    for row in act.possible().filter(pk__in=ids).order_by("pk"):
        try:
            with transaction.atomic():
                act.act(by, row)
        except act.refusals:
            result["left"] += 1
        else:
            result["done"] += 1
    return result


class FewForm(StrictForm):
    """A yes to exactly the plan on the page, which sends its fingerprint."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)
    submit_names = frozenset({"_confirm", "action", "_selected_action", "select_across", "index"})


class ManyForm(FewForm):
    """Why, for the second person, and the id that the proposal gets."""

    why = words_field(gettext_lazy("Why"))
    proposal = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)


class MassActs(RoleAdmin):
    """A staff list on whose rows something can be done at once, each time after a page that shows the plan."""

    mass_acts: ClassVar[tuple[MassAct, ...]] = ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Of Django's own actions none."""
        return {act.name: (self._run, act.name, act.label) for act in self.mass_acts if self._role(request) in act.roles}

    def _run(self, model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
        act = next((act for act in self.mass_acts if act.name == request.POST.get("action")), None)
        if act is None or self._role(request) not in act.roles:
            raise PermissionDenied
        ids = [str(id) for id in queryset.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1]]
        try:
            plan = plan_act(act, {"ids": ids})
        except PlanImpossible:
            text = _("Nothing was changed: none of the chosen rows allows it, or they are more than %(number)d.")
            messages.warning(request, text % {"number": MOST_AT_ONCE})
            return None
        return self._answer(request, act, ids, plan)

    def _answer(self, request: HttpRequest, act: MassAct, ids: list[str], plan: Plan) -> HttpResponse:
        is_few = len(ids) <= settings.MASS_ACTION_LIMIT
        form_class, take = (FewForm, self._act) if is_few else (ManyForm, self._propose)
        is_answer = "_confirm" in request.POST
        form = form_class(request.POST) if is_answer else form_class(initial={"seen": fingerprint_of(act.name, {"ids": ids}, plan)})
        if is_answer and form.is_valid():
            return take(request, act, ids, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "act": act,
            "plan": plan,
            "ids": ids,
            "form": form,
            "is_few": is_few,
            "options": self.model._meta,
        }
        return render(request, "admin/privacy/proposal/mass.html", context, status=422 if form.errors else 200)

    def _act(self, request: HttpRequest, act: MassAct, ids: list[str], given: dict[str, Any]) -> HttpResponse:
        try:
            result = act_on_few(by=request.actor, act=act, ids=ids, seen=given["seen"])  # type: ignore[attr-defined]
        except ProposalError as refusal:
            messages.error(request, str(refusal))
        else:
            done = ngettext("Done to %(number)d row.", "Done to %(number)d rows.", result["done"]) % {"number": result["done"]}
            messages.success(request, done)
        return redirect(request.get_full_path())

    def _propose(self, request: HttpRequest, act: MassAct, ids: list[str], given: dict[str, Any]) -> HttpResponse:
        try:
            proposal = propose(
                by=request.actor,  # type: ignore[attr-defined]
                kind=act.name,
                parameters={"ids": ids},
                why=given["why"],
                id=given["proposal"],
            )
        except ProposalError as refusal:
            messages.error(request, str(refusal))
            return redirect(request.get_full_path())
        messages.success(request, _("Asked. Somebody else decides within 72 hours, and you get a mail."))
        return redirect(proposal)
