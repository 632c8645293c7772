"""Withholding entries is an act of two people (USE-3, PROTECT-3)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.kinds import ProposalKind, register_proposal_kind
from privacy.access.silences.actions import begin_silence, is_about, plan_silence
from privacy.access.silences.forms import SilenceForm
from privacy.access.silences.links import entry_links
from privacy.access.silences.models import Silence
from privacy.policy.roles import Role

SILENCE = "silence"


def register_all() -> None:
    register_proposal_kind(
        ProposalKind(
            name=SILENCE,
            label=_("Withhold log entries from a person"),
            does=_("Chosen looks stay out of “Who used my data” until a day. The person reads how many, and until when."),
            proposers=frozenset({Role.PRIVACY_OFFICER, Role.SECURITY}),
            approvers=frozenset({Role.PRIVACY_OFFICER, Role.ADMINISTRATOR}),
            describe=plan_silence,
            perform=begin_silence,
            results={"entries": _("entries withheld")},
            form=SilenceForm,
            looks_at=lambda parameters: entry_links(parameters["entries"]),
            made=lambda proposal: Silence.objects.filter(proposal=proposal).first(),
            is_about=is_about,
        )
    )
