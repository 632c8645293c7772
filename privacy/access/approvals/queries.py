"""What waits for whom (PROTECT-3)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from privacy.access.approvals.kinds import proposal_kinds
from privacy.access.approvals.models import Proposal
from privacy.policy.roles import Actor


def waiting_proposals() -> QuerySet[Proposal]:
    """Those that a second person can still decide about."""
    return Proposal.objects.filter(state=Proposal.State.PROPOSED, expires_at__gt=timezone.now())


def waiting_for(actor: Actor) -> QuerySet[Proposal]:
    """Those that this actor can decide about: of kinds that the role approves, and not their own."""
    kinds = [kind.name for kind in proposal_kinds() if actor.role in kind.approvers]
    return waiting_proposals().filter(kind__in=kinds).exclude(proposed_by=actor.id)  # type: ignore[misc]
