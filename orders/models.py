"""Import list of every model of the app; each lives in the folder of its duty."""

from orders.catalogue.models import Product, ProductCategory, StockItem, StockMovement
from orders.guests.models import GuestLink, OrderLookup
from orders.invoices.models import CreditNote, CreditNoteParty, CreditNoteRate, Invoice, InvoiceCounter, InvoiceParty
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
from orders.rates.models import ShippingRate, TaxRate
from orders.withdrawals.models import ContractWithdrawal, WithdrawalLine

__all__ = [
    "ContractWithdrawal",
    "CreditNote",
    "CreditNoteParty",
    "CreditNoteRate",
    "GuestLink",
    "Invoice",
    "InvoiceCounter",
    "InvoiceParty",
    "LedgerEntry",
    "Order",
    "OrderAddress",
    "OrderContact",
    "OrderEvent",
    "OrderLine",
    "OrderLookup",
    "Parcel",
    "ParcelLabel",
    "ParcelOperation",
    "Payment",
    "PaymentDetail",
    "PaymentOperation",
    "Product",
    "ProductCategory",
    "Refund",
    "ShippingRate",
    "StockItem",
    "StockMovement",
    "TaxRate",
    "WebhookEvent",
    "WithdrawalLine",
]
