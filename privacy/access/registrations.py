"""What access tells its own rooms when the site starts: which of its acts need two people, what its own cases are (PROTECT-3)."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from privacy.access.approvals import evidence as approvals_evidence
from privacy.access.approvals.kinds import ProposalKind, register_proposal_kind
from privacy.access.cases import CaseState, register_case
from privacy.access.models import Opening
from privacy.access.overrides import evidence as overrides_evidence
from privacy.access.overrides.actions import override_matrix, plan_override
from privacy.access.overrides.forms import OverrideForm
from privacy.access.oversight.registrations import register_all as register_oversight
from privacy.access.silences.registrations import register_all as register_silences
from privacy.policy.roles import Actor, Role

MATRIX_OVERRIDE = "matrix-override"
CHECKERS = frozenset({Role.PRIVACY_OFFICER, Role.SECURITY})


def register_all() -> None:
    register_proposal_kind(
        ProposalKind(
            name=MATRIX_OVERRIDE,
            label=_("Make an exception to the matrix"),
            does=_(
                "A role may open more kinds of data for one use, for at most 14 days, and never more than our policy allows for that use."
            ),
            proposers=frozenset({Role.PRIVACY_OFFICER, Role.ADMINISTRATOR}),
            approvers=frozenset({Role.PRIVACY_OFFICER, Role.SECURITY}),
            describe=plan_override,
            perform=override_matrix,
            results={"days": _("days in force")},
            form=OverrideForm,
        )
    )
    register_case(Opening._meta.label_lower, look_state)
    register_oversight()
    register_silences()
    approvals_evidence.register()
    overrides_evidence.register()


def look_state(opening_id: UUID, actor: Actor) -> CaseState | None:
    """A look by staff is itself the case of those who check it, as long as it is kept; nobody checks their own."""
    opening = Opening.objects.filter(pk=opening_id).first()
    if opening is None:
        return None
    checkers = CHECKERS if opening.actor_id != actor.id else frozenset()
    return CaseState(frozenset({opening.subject_id}), checkers, checkers)
