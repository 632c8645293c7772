"""Words of a mail: a subject line that says nothing about the person, text, and the same text as HTML (PROTECT-4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template, render_to_string
from django.utils import translation
from django.utils.translation import get_language_bidi

from privacy.policy.operator import operator
from privacy.vault.blind_index import domain_in_ascii


def render_message(name: str, context: dict[str, Any], locale: str, to: str, message_id: UUID) -> EmailMultiAlternatives:
    """The message ready to send. A second attempt has the same Message-ID, so that mail programs show one."""
    with translation.override(locale):
        words = Context(context | {"site_url": settings.SITE_URL}, autoescape=False)  # plain text; the frame escapes
        text = get_template(f"mail/{name}.txt").template.render(words)  # type: ignore[attr-defined]
        subject, _, body = text.strip().partition("\n")
        body = body.strip() + _signature()
        html = render_to_string(
            "mail/frame.html",
            {
                "title": subject,
                "body": body,
                "locale": locale,
                "right_to_left": get_language_bidi(),
            },
        )
    message = EmailMultiAlternatives(
        subject=subject,
        body=f"{body}\n",
        to=[_deliverable(to)],
        headers={
            "Message-ID": f"<{message_id}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def _deliverable(address: str) -> str:
    """Django would send to the domain of an older rule, in which ``ß`` is ``ss``: somebody else's."""
    local, at, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}{at}{domain_in_ascii(domain)}"


def _signature() -> str:
    """Who writes, below the line that mail programs fold away (RFC 3676, 4.3)."""
    sender = operator()
    lines = [line for line in (*sender.lines, sender.privacy_email or sender.email) if line]
    return "\n\n-- \n" + "\n".join(lines) if lines else ""


def _domain() -> str:
    return str(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2].strip("<> ") or "localhost"
