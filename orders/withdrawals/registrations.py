"""What withdrawals tell the rooms below when the site starts."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet

from orders.lifecycle.models import OrderAddress, OrderContact
from orders.parcels.models import ParcelLabel
from orders.payments.models import PaymentDetail
from orders.withdrawals.mails import register_withdrawal_mails
from orders.withdrawals.queries import open_withdrawals
from orders.withdrawals.sections import register_withdrawal_sections
from privacy.retention.registry import register_hold

NEEDED: dict[type[Model], str] = {
    OrderContact: "order",
    OrderAddress: "order",
    ParcelLabel: "parcel__order",
    PaymentDetail: "payment__order",
}


def register_withdrawals() -> None:
    register_withdrawal_mails()
    register_withdrawal_sections()
    register_hold(needed_for_returns)


def needed_for_returns(model: type[Model], records: QuerySet[Any]) -> QuerySet[Any]:
    """A buyer may cancel after the order was closed: what leads to them and their money waits until that has ended."""
    path = NEEDED.get(model)
    return records.exclude(**{f"{path}__in": open_withdrawals().order_by().values("order_id")}) if path else records
