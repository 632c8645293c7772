"""Live evidence about exceptions to the matrix (PROTECT-3)."""

from __future__ import annotations

from django.utils.translation import ngettext

from privacy.access.approvals.models import Proposal
from privacy.access.overrides.queries import overrides_in_force
from privacy.policy.promises import Evidence, register_evidence


def register() -> None:
    register_evidence("PROTECT-3", exceptions_in_force)


def exceptions_in_force() -> Evidence:
    """Each has two people behind it, or the promise is broken."""
    running = list(overrides_in_force().select_related("proposal"))
    decided = [override for override in running if override.proposal.state == Proposal.State.PERFORMED]
    text = ngettext(
        "%(number)d exception to this table is in force; two people decided it, and it ends by itself.",
        "%(number)d exceptions to this table are in force; two people decided each, and they end by themselves.",
        len(running),
    ) % {"number": len(running)}
    return Evidence(len(decided) == len(running), text)
