"""Tell a person that somebody of ours opened their data without a case (USE-3, PROTECT-3)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from audit.record import Reference
from privacy.access.gate import Grant
from privacy.access.models import Opening
from privacy.consent.queries import language_of
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.mail.actions import queue_mail
from privacy.mail.errors import MailOverdone
from privacy.mail.models import OutboundMail
from privacy.mail.templates import mailbox_of, register_mail
from privacy.policy.roles import Role

# The law of security opens the mailbox of an account. Who has none left an address with an order.
TO_ACCOUNT = "rights-opened-without-case"
TO_BUYER = "rights-opened-without-case-order"


def declare_notices() -> None:
    register_mail(TO_ACCOUNT, Purpose.SECURITY, opened_without_case)
    register_mail(TO_BUYER, Purpose.ORDER, opened_without_case)


def tell_person(opening: Opening) -> None:
    """Queue the news; nothing for a person of whom no mailbox is held any more."""
    mailbox = mailbox_of(opening.subject_id)
    if mailbox is None:
        return
    template = TO_ACCOUNT if mailbox.field.category in PURPOSES[Purpose.SECURITY].categories else TO_BUYER
    queue_mail(template=template, subject=opening.subject_id, object=Reference.to(opening), locale=language_of(opening.subject_id))


def opened_without_case(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    """Who by role, what for and when. The reason in their words stays on the person's page: a mail is read on its way."""
    opening = Opening.objects.filter(subject_id=mail.subject_id, pk=mail.object.id).first() if mail.object else None
    if opening is None:
        raise MailOverdone
    return {
        "role": Role(opening.role).label,
        "purpose": Purpose(opening.purpose).label,
        "opened_at": opening.opened_at,
        "link": settings.SITE_URL + reverse("privacy:uses"),
    }
