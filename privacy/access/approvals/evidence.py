"""Live evidence that acts on many people took two (COLLECT-5, PROTECT-3)."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext as _

from privacy.access.approvals.models import Proposal
from privacy.policy.promises import Evidence, counted, register_evidence

State = Proposal.State


def register() -> None:
    register_evidence("COLLECT-5", acts_of_two)
    register_evidence("PROTECT-3", acts_of_two)


def acts_of_two() -> Evidence:
    done = Proposal.objects.filter(state=State.PERFORMED)
    alone = done.filter(decided_by=F("proposed_by")) | done.filter(decided_by=None)
    text = _("%(number)s exports, releases, exceptions and mass acts were done, each approved by a second person.")
    number = counted(done)
    return Evidence(None if number == "0" else not alone.exists(), text % {"number": number})
