"""The mails about a version announced or withdrawn; none says anything about its reader (CHANGE-1)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from audit.record import Reference
from privacy.access.gate import unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.mail.errors import MailOverdone
from privacy.mail.models import OutboundMail
from privacy.mail.templates import register_mail
from privacy.policy.models import PolicyVersion, PolicyWithdrawal
from privacy.policy.queries import policy_in_force
from privacy.policy.roles import Actor
from privacy.publication.models import PolicyNotice
from privacy.publication.queries import audiences

ANNOUNCER = Actor.job("policy")
TEMPLATES = {PolicyNotice.Kind.ANNOUNCED: "policy-announced", PolicyNotice.Kind.WITHDRAWN: "policy-withdrawn"}
BATCH = 500


def declare_mails() -> None:
    register_mail(TEMPLATES[PolicyNotice.Kind.ANNOUNCED], Purpose.ACCOUNT, announced)
    register_mail(TEMPLATES[PolicyNotice.Kind.WITHDRAWN], Purpose.ACCOUNT, withdrawn)


def tell_everybody(notice: PolicyNotice) -> None:
    """Queue one mail to each person concerned, in batches by id; a batch and where it ended commit together.

    Somebody who joins meanwhile was shown the announcement already. Nobody is told twice of the same thing: the
    mail's row is one a person, template and version.
    """
    template = TEMPLATES[PolicyNotice.Kind(notice.kind)]
    object = Reference.to(notice.version)
    while people := _next_batch(notice):
        with unit_of_work():
            for subject_id, locale in people:
                queue_mail(by=ANNOUNCER, template=template, subject=subject_id, object=object, locale=locale)
            notice.reached, notice.told = people[-1][0], notice.told + len(people)
            notice.save(update_fields=["reached", "told"])


def _next_batch(notice: PolicyNotice) -> list[tuple[Any, str]]:
    """The people with the smallest ids after the last one told, of every audience."""
    found: dict[Any, str] = {}
    for people in audiences():
        later = people.filter(subject_id__gt=notice.reached) if notice.reached else people
        found.update(later.order_by("subject_id")[:BATCH])
    return sorted(found.items())[:BATCH]


def announced(mail: OutboundMail, grant: Any) -> dict[str, Any]:
    version = _version(mail)
    if PolicyWithdrawal.objects.filter(version=version).exists():
        raise MailOverdone
    in_force = policy_in_force()
    return {
        "effective_at": version.effective_at,
        "announcement": _link("privacy:announcement", version.number),
        "differences": _link("privacy:policy-differences", in_force.number, version.number) if in_force != version else "",
        "permissions": _link("privacy:permissions"),
        "erase": _link("privacy:erase"),
    }


def withdrawn(mail: OutboundMail, grant: Any) -> dict[str, Any]:
    version = _version(mail)
    return {"effective_at": version.effective_at, "announcement": _link("privacy:announcement", version.number)}


def _version(mail: OutboundMail) -> PolicyVersion:
    version = PolicyVersion.objects.filter(pk=mail.object.id).first() if mail.object else None
    if version is None:
        raise MailOverdone
    return version


def _link(page: str, *arguments: Any) -> str:
    return settings.SITE_URL + reverse(page, args=arguments)
