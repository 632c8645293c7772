"""What retention tells the rooms below it, and its own registry, when the site starts (RIGHTS-8, PROTECT-3)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.kinds import ProposalKind, register_proposal_kind
from privacy.policy.roles import Role
from privacy.retention.forms import ReleaseForm
from privacy.retention.holds import PLACES_HOLDS, held_by_law, plan_release, release_hold
from privacy.retention.registry import register_hold

HOLD_RELEASE = "hold-release"


def register_all() -> None:
    register_hold(held_by_law)
    register_proposal_kind(
        ProposalKind(
            name=HOLD_RELEASE,
            label=_("Release a hold early"),
            does=_("The person's data is no longer kept for this law, and what is past its time goes with the next purge."),
            proposers=PLACES_HOLDS,
            approvers=frozenset({Role.PRIVACY_OFFICER, Role.ADMINISTRATOR}),
            describe=plan_release,
            perform=release_hold,
            results={"rows": _("records without this protection")},
            form=ReleaseForm,
        )
    )
