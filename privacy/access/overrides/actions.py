"""Make an exception that two people decided, and end one early (PROTECT-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.events import Event
from audit.record import record
from privacy.access.approvals.errors import PlanImpossible
from privacy.access.approvals.kinds import Parameters, Plan, number_with_role
from privacy.access.approvals.models import Proposal
from privacy.access.overrides.errors import OverrideOver, RoleMayNot
from privacy.access.overrides.models import AT_MOST_DAYS, MatrixOverride
from privacy.access.overrides.queries import OVERRIDABLE, overrides_in_force
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.matrix import categories_open_to
from privacy.policy.queries import purposes_in_force
from privacy.policy.roles import Actor, Role

ENDS_EARLY = frozenset({Role.PRIVACY_OFFICER, Role.SECURITY})


def plan_override(parameters: Parameters) -> Plan:
    """What a role would open that it does not open now. Raises PlanImpossible for what no exception may open."""
    role, purpose = Role(parameters["role"]), Purpose(parameters["purpose"])
    asked = frozenset(Category(name) for name in parameters["categories"])
    new = asked - categories_open_to(role, purpose)
    is_allowed = role in OVERRIDABLE and asked <= PURPOSES[purpose].categories and purpose in purposes_in_force()
    if not new or not is_allowed or not 1 <= parameters["days"] <= AT_MOST_DAYS:
        raise PlanImpossible
    staff, running = number_with_role(role), overrides_in_force().filter(role=role, purpose=purpose).count()
    labels = ", ".join(str(category.label) for category in Category if category in new)
    lines = [
        _("%(role)s may open for “%(use)s” as well: %(kinds)s.") % {"role": role.label, "use": purpose.label, "kinds": labels},
        ngettext("It ends by itself after %(number)d day.", "It ends by itself after %(number)d days.", parameters["days"])
        % {"number": parameters["days"]},
        ngettext("%(number)d member of staff has this role.", "%(number)d members of staff have this role.", staff) % {"number": staff},
        _("Each look still needs a reason, is written in the log, and is shown to the customer."),
    ]
    return Plan(lines, {"opens": sorted(new), "staff": staff, "running": running})


def override_matrix(proposal: Proposal) -> Mapping[str, int]:
    """The performance of an approved exception: from now on, for the days that were approved."""
    asked, now = proposal.parameters, timezone.now()
    override = MatrixOverride.objects.create(
        proposal=proposal,
        role=asked["role"],
        purpose=asked["purpose"],
        categories=asked["categories"],
        begins_at=now,
        ends_at=now + timedelta(days=asked["days"]),
    )
    record(
        Event.MATRIX_OVERRIDDEN,
        by=proposal.proposer,
        object=override,
        case=proposal,
        purpose=override.purpose,
        categories=override.categories,
        outcome=override.role,
    )
    return {"days": asked["days"]}


@transaction.atomic
def end_override(*, by: Actor, override: MatrixOverride) -> None:
    """Back to the matrix now. Taking rights away needs no second person. Raises RoleMayNot, OverrideOver."""
    if by.role not in ENDS_EARLY:
        raise RoleMayNot
    locked = MatrixOverride.objects.select_for_update().get(pk=override.pk)
    if not locked.is_in_force:
        raise OverrideOver
    locked.ends_at = timezone.now()
    locked.save(update_fields=["ends_at"])
    record(Event.MATRIX_RESTORED, by=by, object=locked, case=locked.proposal, purpose=locked.purpose, outcome=locked.role)
