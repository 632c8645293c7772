"""News of an order, worded from the order alone; the mailbox is the one given with the order."""

from __future__ import annotations

from typing import Any

from orders.guests.links import CONFIRMATION_LASTS, issue_link, link_of
from orders.lifecycle.models import Order, OrderContact
from orders.money import format_money
from privacy.declarations.purposes import Purpose
from privacy.mail.models import OutboundMail
from privacy.mail.templates import register_mail
from privacy.vault.sealed import Sealed

TEMPLATES = (
    "orders_placed",
    "orders_payment_declined",
    "orders_confirmed",
    "orders_shipped",
    "orders_delivered",
    "orders_canceled",
    "orders_refunded",
)


def register_order_mails() -> None:
    for name in TEMPLATES:
        register_mail(name, Purpose.ORDER, context=_context, mailbox=_mailbox)


def _context(mail: OutboundMail, grant: Any) -> dict[str, Any]:
    order = Order.objects.prefetch_related("lines", "payments").get(pk=str(mail.object_id))
    opens = mail.template == "orders_placed" and order.is_guest
    refunded = sum(payment.refunded for payment in order.payments.all())
    return {
        "order": order,
        "link": issue_link(order, CONFIRMATION_LASTS) if opens else link_of(order),
        "link_days": CONFIRMATION_LASTS.days if opens else None,
        "lines": [(line, format_money(line.total, order.currency)) for line in order.lines.all()],
        "shipping": format_money(order.shipping_total, order.currency),
        "total": format_money(order.total, order.currency),
        "refunded": format_money(refunded, order.currency),
    }


def _mailbox(mail: OutboundMail) -> Sealed | None:
    contact = OrderContact.objects.filter(subject_id=mail.subject_id, order_id=str(mail.object_id)).first()
    return contact.email if contact else None
