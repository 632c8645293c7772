"""What must be true of money and stock whatever happens, compared before and after each purge (CHANGE-4)."""

from __future__ import annotations

from typing import Any

from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from orders.catalogue.models import StockItem
from orders.invoices.models import CreditNote, Invoice
from orders.lifecycle.models import Order, OrderLine
from orders.payments.models import LedgerEntry, OperationKind, Payment
from orders.withdrawals.models import WithdrawalLine
from privacy.retention.registry import register_invariant


def register_books() -> None:
    register_invariant("orders that differ from their lines", orders_that_differ)
    register_invariant("payments that differ from the ledger", payments_that_differ)
    register_invariant("lines given up beyond what was bought", overdrawn_lines)
    register_invariant("invoices credited beyond their sum", overcredited_invoices)
    register_invariant("stock promised beyond what is there", overpromised_stock)


def orders_that_differ() -> int:
    """Orders whose goods do not add up to their lines: none, and a purge must not make one."""
    lines = _sum(OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order"), "total")
    return Order.objects.annotate(_lines=lines).exclude(goods_total=F("_lines")).count()


def payments_that_differ() -> int:
    """Payments whose taken or returned sum is not what the ledger says."""
    ledger = LedgerEntry.objects.filter(payment=OuterRef("pk")).order_by().values("payment")
    captured = _sum(ledger.filter(kind=OperationKind.CAPTURE), "amount")
    refunded = _sum(ledger.filter(kind=OperationKind.REFUND), "amount")
    payments = Payment.objects.annotate(_captured=captured, _refunded=refunded)
    return payments.exclude(captured=F("_captured"), refunded=F("_refunded")).count()


def overpromised_stock() -> int:
    return StockItem.objects.filter(reserved__gt=F("on_hand")).count()


def overdrawn_lines() -> int:
    """Lines of which buyers gave up more pieces than they bought."""
    declared = _sum(WithdrawalLine.objects.filter(line=OuterRef("pk")).order_by().values("line"), "quantity")
    return OrderLine.objects.annotate(_declared=declared).filter(_declared__gt=F("quantity")).count()


def overcredited_invoices() -> int:
    credited = _sum(CreditNote.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice"), "total")
    return Invoice.objects.annotate(_credited=credited).filter(_credited__gt=F("total")).count()


def _sum(grouped: QuerySet[Any], name: str) -> Coalesce:
    total = Subquery(grouped.annotate(_sum=Sum(name)).values("_sum"), output_field=IntegerField())
    return Coalesce(total, 0)
