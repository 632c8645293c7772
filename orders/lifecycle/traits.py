"""Where the names and streets of orders stand, for the watch over what staff read."""

from __future__ import annotations

from orders.invoices.models import CreditNoteParty, InvoiceParty
from orders.lifecycle.models import OrderAddress, OrderContact
from orders.payments.models import PaymentDetail
from privacy.access.oversight.models import ReadTrait
from privacy.access.oversight.traits import register_trait


def register_order_traits() -> None:
    register_trait(OrderContact, "name", ReadTrait.Kind.NAME)
    register_trait(OrderAddress, "addressee", ReadTrait.Kind.NAME)
    register_trait(OrderAddress, "line1", ReadTrait.Kind.STREET)
    register_trait(PaymentDetail, "payer", ReadTrait.Kind.NAME)
    register_trait(InvoiceParty, "name", ReadTrait.Kind.NAME)
    register_trait(CreditNoteParty, "name", ReadTrait.Kind.NAME)
