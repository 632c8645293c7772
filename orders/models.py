"""Import list of every model of the app; each lives in the folder of its duty."""

from orders.catalogue.models import Product, StockItem
from orders.invoices.models import Invoice, InvoiceCounter, InvoiceParty
from orders.lifecycle.models import Order, OrderAddress, OrderContact, OrderEvent, OrderLine
from orders.parcels.models import Parcel, ParcelLabel, ParcelOperation
from orders.payments.models import (
    LedgerEntry,
    Payment,
    PaymentDetail,
    PaymentOperation,
    Refund,
    WebhookEvent,
)

__all__ = [
    "Invoice",
    "InvoiceCounter",
    "InvoiceParty",
    "LedgerEntry",
    "Order",
    "OrderAddress",
    "OrderContact",
    "OrderEvent",
    "OrderLine",
    "Parcel",
    "ParcelLabel",
    "ParcelOperation",
    "Payment",
    "PaymentDetail",
    "PaymentOperation",
    "Product",
    "Refund",
    "StockItem",
    "WebhookEvent",
]
