"""The mails about requests; no text of theirs says anything about the person (RIGHTS-1, RIGHTS-3)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from privacy.access.gate import Grant
from privacy.declarations.purposes import Purpose
from privacy.mail.errors import MailOverdone
from privacy.mail.models import OutboundMail
from privacy.mail.templates import register_mail
from privacy.rights.models import ReceiptLink, Request
from privacy.rights.queries import ANSWER_TEMPLATE
from privacy.rights.steps import MAIL_TEMPLATE

RECEIPT_LASTS = timedelta(days=90)


def declare_mails() -> None:
    register_mail("rights-copy-ready", Purpose.RIGHTS, copy_ready)
    register_mail("rights-erasure-asked", Purpose.RIGHTS, erasure_asked)
    register_mail(MAIL_TEMPLATE, Purpose.RIGHTS, erasure_begun)
    register_mail(ANSWER_TEMPLATE, Purpose.RIGHTS, decided)


def copy_ready(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    request = _request(mail)
    if not request.export.can_be_downloaded:
        raise MailOverdone
    return {"link": _link("privacy:request", request.pk), "until": request.export.expires_at, "code": request.code}


def erasure_asked(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    request = _request(mail)
    if request.state != Request.State.WAITING:
        raise MailOverdone
    return {"link": _link("privacy:request", request.pk), "begins": request.effective_at, "code": request.code}


def erasure_begun(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    """A link to the receipt, made new for each attempt to send; the earlier ones stay good."""
    request = _request(mail)
    token = secrets.token_urlsafe(32)
    link = ReceiptLink.objects.create(
        request=request, digest=hashlib.sha256(token.encode()).digest(), expires_at=timezone.now() + RECEIPT_LASTS
    )
    return {"link": _link("privacy:receipt", token), "until": link.expires_at, "code": request.code}


def decided(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    request = _request(mail)
    return {"link": _link("privacy:request", request.pk), "code": request.code}


def forget_receipt_links() -> int:
    """Delete the links whose time is over; returns how many."""
    deleted, _ = ReceiptLink.objects.filter(expires_at__lte=timezone.now()).delete()
    return deleted


def _request(mail: OutboundMail) -> Request:
    asked = Request.objects.select_related("export").filter(subject_id=mail.subject_id)
    request = asked.filter(pk=mail.object.id).first() if mail.object else None
    if request is None:
        raise MailOverdone
    return request


def _link(page: str, argument: Any) -> str:
    return settings.SITE_URL + reverse(page, args=[argument])
