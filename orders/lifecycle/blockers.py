"""What holds up an erasure: an order that is on its way, or money that is still moving (CHANGE-4)."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from orders.lifecycle.queries import has_open_order
from orders.withdrawals.queries import open_withdrawals_of
from privacy.rights.erasure import Blocker, register_blocker


def open_cancellations(subject_id: UUID) -> list[Blocker]:
    if not open_withdrawals_of(subject_id).exists():
        return []
    return [Blocker(_("You have canceled a purchase, and the goods or the money are still on their way back."))]


def open_orders(subject_id: UUID) -> list[Blocker]:
    if not has_open_order(subject_id):
        return []
    return [Blocker(_("An order of yours is still open. It can be canceled until it is packed."))]


def register_order_blockers() -> None:
    register_blocker(open_orders)
    register_blocker(open_cancellations)
