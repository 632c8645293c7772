"""The acknowledgement that a withdrawal has arrived, on a durable medium (Directive 2011/83/EU, Art. 11a(4)), and the answer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from orders.guests.links import link_of
from orders.lifecycle.models import OrderContact
from orders.withdrawals.actions import acknowledge_withdrawal
from orders.withdrawals.deadlines import refund_until, send_back_until
from orders.withdrawals.models import ContractWithdrawal
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import POSTMAN
from privacy.mail.models import OutboundMail
from privacy.mail.templates import register_mail
from privacy.vault.sealed import Sealed


def register_withdrawal_mails() -> None:
    register_mail("orders_withdrawal_received", Purpose.RETURNS, context=_acknowledgement, mailbox=_mailbox)
    register_mail("orders_withdrawal_exempt", Purpose.RETURNS, context=_context, mailbox=_mailbox)


def _acknowledgement(mail: OutboundMail, grant: Any) -> dict[str, Any]:
    """What was declared, by whom and exactly when."""
    context = _context(mail, grant)
    contact = _contact(mail)
    acknowledge_withdrawal(by=POSTMAN, withdrawal=context["withdrawal"])
    return context | {"name": grant.show(contact.name) if contact else ""}


def _context(mail: OutboundMail, grant: Any) -> dict[str, Any]:
    withdrawal = ContractWithdrawal.objects.select_related("order").get(pk=str(mail.object_id))
    declared_at = withdrawal.declared_at
    return {
        "withdrawal": withdrawal,
        "order": withdrawal.order,
        "lines": [(given_up.quantity, given_up.line.title) for given_up in withdrawal.lines.select_related("line")],
        "is_canceled": withdrawal.outcome == ContractWithdrawal.Outcome.CANCELED,
        "send_back_until": send_back_until(declared_at),
        "refund_until": refund_until(declared_at),
        "link": link_of(withdrawal.order),
        "complain": settings.SITE_URL + reverse("privacy:complain"),
    }


def _mailbox(mail: OutboundMail) -> Sealed | None:
    contact = _contact(mail)
    return contact.email if contact else None


def _contact(mail: OutboundMail) -> OrderContact | None:
    return OrderContact.objects.filter(subject_id=mail.subject_id, order__withdrawals__pk=str(mail.object_id)).first()
