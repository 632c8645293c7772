"""Who can decide about a colleague's proposal, and the mails that tell them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings

from audit.record import Reference
from marketplace.accounts.models import User
from privacy.access.approvals.actions import CLERK
from privacy.access.approvals.kinds import kind_named, register_proposal_mail, register_staff
from privacy.access.approvals.models import Proposal
from privacy.access.gate import Grant
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.mail.errors import MailOverdone
from privacy.mail.models import OutboundMail
from privacy.mail.templates import register_mail
from privacy.policy.roles import Role

ASKED, ENDED = "approvals-asked", "approvals-ended"


def register_approving() -> None:
    register_staff(staff_with_role)
    register_proposal_mail(mail_about)
    register_mail(ASKED, Purpose.SECURITY, asked)
    register_mail(ENDED, Purpose.SECURITY, ended)


def staff_with_role(roles: frozenset[Role]) -> Iterable[tuple[UUID, str]]:
    """Those whose account is open and proven now."""
    able = User.objects.filter(role__in=roles, is_active=True, closed_at=None).exclude(confirmed_at=None)
    return able.values_list("subject_id", "role")


def mail_about(proposal: Proposal) -> None:
    """To everybody who may decide while it waits, each time it does; to whoever asked once it has ended."""
    if proposal.state == Proposal.State.PROPOSED:
        people = User.objects.filter(subject_id__in=[id for id, _role in staff_with_role(kind_named(proposal.kind).approvers)])
        people, template = people.exclude(subject_id=proposal.proposed_by), ASKED
    else:
        people, template = User.objects.filter(subject_id=proposal.proposed_by, is_active=True), ENDED
    for subject_id, locale in people.values_list("subject_id", "locale"):
        queue_mail(
            by=CLERK, template=template, subject=subject_id, object=Reference.to(proposal), locale=locale, occasion=str(proposal.returns)
        )


def asked(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    proposal = _proposal(mail)
    if not proposal.is_waiting:
        raise MailOverdone
    return {**_words(proposal), "expires_at": proposal.expires_at}


def ended(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    proposal = _proposal(mail)
    return {**_words(proposal), "state": proposal.get_state_display()}


def _words(proposal: Proposal) -> dict[str, Any]:
    return {"kind": kind_named(proposal.kind).label, "link": settings.SITE_URL + proposal.get_absolute_url()}


def _proposal(mail: OutboundMail) -> Proposal:
    proposal = Proposal.objects.filter(pk=str(mail.object_id)).first()
    if proposal is None:
        raise MailOverdone
    return proposal
