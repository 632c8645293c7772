"""The mail with the link to an order; the link is made at the moment of sending."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings

from orders.guests.links import ASKED_FOR_LASTS, issue_link
from orders.guests.models import OrderLookup
from orders.lifecycle.models import Order, OrderContact
from privacy.declarations.purposes import Purpose
from privacy.mail.errors import MailOverdone
from privacy.mail.models import OutboundMail
from privacy.mail.templates import register_mail
from privacy.vault.sealed import Sealed


def register_guest_mails() -> None:
    register_mail("orders_link", Purpose.RIGHTS, context=_context, mailbox=_mailbox)


def _context(mail: OutboundMail, grant: Any) -> dict[str, Any]:
    """A link for a guest; for an order of an account the word that its owner signs in."""
    lookup = OrderLookup.objects.select_related("order").filter(pk=str(mail.object_id)).first()
    order = lookup.order if lookup else None
    if lookup is None or order is None:
        raise MailOverdone
    if not order.is_guest:
        return {"order": order, "page": settings.SITE_URL + order.get_absolute_url()}
    link = issue_link(order, ASKED_FOR_LASTS, lookup.leads_to)
    return {"order": order, "link": link, "minutes": int(ASKED_FOR_LASTS.total_seconds() // 60)}


def _mailbox(mail: OutboundMail) -> Sealed | None:
    order = Order.objects.filter(lookups__pk=str(mail.object_id), subject_id=mail.subject_id).first()
    contact = OrderContact.objects.filter(subject_id=mail.subject_id, order=order).first() if order else None
    return contact.email if contact else None


def mailbox_of_guest(subject_id: UUID) -> Sealed | None:
    """As ``privacy.mail`` asks every room for an address: the one given with the newest order without an account."""
    contact = OrderContact.objects.filter(subject_id=subject_id, order__is_guest=True).order_by("-id").first()
    return contact.email if contact else None
