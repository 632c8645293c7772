"""A person's own orders for programs. Another person's order is not found."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from orders.invoices.models import CreditNote, CreditNoteParty, InvoiceParty
from orders.invoices.sums import sums_by_rate
from orders.lifecycle.actions import cancel_order
from orders.lifecycle.models import Order, OrderState
from orders.lifecycle.page import kept_of, personal_records, receivers_of
from orders.lifecycle.queries import orders_for_list, orders_of, orders_with_case
from orders.lifecycle.steps import steps_of
from orders.lifecycle.views import may_cancel
from orders.parcels.models import Parcel, ParcelLabel, ParcelState
from orders.payments.actions import retry_payment
from orders.payments.models import Method, PaymentState
from privacy.interface.areas import Area
from privacy.interface.serializers import Choice, OpenedField, StrictSerializer
from privacy.interface.views import OwnView, shown_at

CENTS = "In the smallest unit of the currency."


class Line(StrictSerializer):
    id = serializers.UUIDField()
    position = serializers.IntegerField(min_value=0)
    title = serializers.CharField()
    sku = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)
    unit_price = serializers.IntegerField(min_value=0, help_text=CENTS)
    total = serializers.IntegerField(min_value=0, help_text=CENTS)
    tax_rate = serializers.IntegerField(min_value=0, help_text="In hundredths of a percent.")


class OrderLine(StrictSerializer):
    code = serializers.CharField()
    state = Choice(OrderState)
    placed_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    country = serializers.CharField()
    currency = serializers.CharField()
    goods_total = serializers.IntegerField(min_value=0, help_text=CENTS)
    shipping_total = serializers.IntegerField(min_value=0, help_text=CENTS)
    tax_total = serializers.IntegerField(min_value=0, help_text=CENTS)
    total = serializers.IntegerField(min_value=0, help_text=CENTS)
    lines = Line(many=True)


class Step(StrictSerializer):
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    state = Choice(["done", "now", "ahead", "bad"])
    at = serializers.DateTimeField(allow_null=True)


class ParcelShown(StrictSerializer):
    number = serializers.IntegerField(min_value=1)
    state = Choice(ParcelState)
    packed_at = serializers.DateTimeField(allow_null=True)
    handed_over_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    tracking_number = serializers.SerializerMethodField()

    def get_tracking_number(self, parcel: Parcel) -> str | None:
        label = self.context["labels"].get(parcel.pk)
        return label and self.context["grant"].read(label.tracking_number)


class Address(StrictSerializer):
    addressee = OpenedField()
    line1 = OpenedField()
    line2 = OpenedField()
    district = OpenedField()
    locality = OpenedField()
    region = OpenedField()
    postcode = OpenedField()
    country = serializers.CharField()


class Contact(StrictSerializer):
    name = OpenedField()
    email = OpenedField()


class PaymentShown(StrictSerializer):
    payer = OpenedField()
    method = OpenedField(source="label")


class ReceiverLine(StrictSerializer):
    name = serializers.CharField()
    kind = serializers.CharField()
    categories = serializers.ListField(child=serializers.CharField())
    at = serializers.DateTimeField()


class KeptLine(StrictSerializer):
    what = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    until = serializers.CharField(allow_blank=True)


class OrderShown(OrderLine):
    steps = serializers.SerializerMethodField(help_text="What happened, what is going on, what comes next.")
    parcels = ParcelShown(many=True)
    contact = serializers.SerializerMethodField(help_text="Empty once it has been deleted.")
    address = serializers.SerializerMethodField(help_text="Empty once it has been deleted.")
    payment = serializers.SerializerMethodField(help_text="Empty once it has been deleted.")
    receivers = serializers.SerializerMethodField(help_text="Who outside received something for this order.")
    kept = serializers.SerializerMethodField(help_text="What of it goes when.")
    has_invoice = serializers.SerializerMethodField()
    refunded = serializers.SerializerMethodField(help_text=CENTS)
    may_cancel = serializers.SerializerMethodField()

    @extend_schema_field(Step(many=True))
    def get_steps(self, order: Order) -> list[dict[str, Any]]:
        return list(Step(steps_of(order), many=True).data)

    @extend_schema_field(Contact(allow_null=True))
    def get_contact(self, order: Order) -> dict[str, Any] | None:
        contact = self.context["records"]["contact"]
        return contact and Contact(contact, context=self.context).data

    @extend_schema_field(Address(allow_null=True))
    def get_address(self, order: Order) -> dict[str, Any] | None:
        address = self.context["records"]["address"]
        return address and Address(address, context=self.context).data

    @extend_schema_field(PaymentShown(allow_null=True))
    def get_payment(self, order: Order) -> dict[str, Any] | None:
        detail = self.context["records"]["detail"]
        return detail and PaymentShown(detail, context=self.context).data

    @extend_schema_field(ReceiverLine(many=True))
    def get_receivers(self, order: Order) -> list[dict[str, Any]]:
        return list(ReceiverLine(self.context["receivers"], many=True).data)

    @extend_schema_field(KeptLine(many=True))
    def get_kept(self, order: Order) -> list[dict[str, Any]]:
        return list(KeptLine(kept_of(order, self.context["records"].values()), many=True).data)

    def get_has_invoice(self, order: Order) -> bool:
        return hasattr(order, "invoice")

    def get_refunded(self, order: Order) -> int:
        return sum(payment.refunded for payment in order.payments.all() if payment.state != PaymentState.FAILED)

    def get_may_cancel(self, order: Order) -> bool:
        return may_cancel(order)


class RateLine(StrictSerializer):
    percent = serializers.CharField()
    gross = serializers.IntegerField(help_text=CENTS)
    tax = serializers.IntegerField(help_text=CENTS)
    net = serializers.IntegerField(help_text=CENTS)


class Party(StrictSerializer):
    name = OpenedField()
    address = OpenedField()


class InvoiceShown(StrictSerializer):
    number = serializers.CharField(source="label")
    issued_at = serializers.DateTimeField()
    issuer = serializers.SerializerMethodField(help_text="Who sold it, a line each.")
    billed_to = serializers.SerializerMethodField(help_text="Empty once the law lets it go.")
    currency = serializers.CharField()
    total = serializers.IntegerField(help_text=CENTS)
    tax_total = serializers.IntegerField(help_text=CENTS)
    rates = serializers.SerializerMethodField()
    lines = serializers.SerializerMethodField()

    def get_issuer(self, invoice: Any) -> list[str]:
        return list(invoice.issuer.lines) if invoice.issuer else []

    @extend_schema_field(Party(allow_null=True))
    def get_billed_to(self, invoice: Any) -> dict[str, Any] | None:
        party = self.context["party"]
        return party and Party(party, context=self.context).data

    @extend_schema_field(RateLine(many=True))
    def get_rates(self, invoice: Any) -> list[dict[str, Any]]:
        return list(RateLine(sums_by_rate(invoice.order), many=True).data)

    @extend_schema_field(Line(many=True))
    def get_lines(self, invoice: Any) -> list[dict[str, Any]]:
        return list(Line(invoice.order.lines.all(), many=True).data)


class CreditNoteShown(StrictSerializer):
    number = serializers.CharField(source="label")
    issued_at = serializers.DateTimeField()
    issuer = serializers.SerializerMethodField(help_text="Who sold it, a line each.")
    billed_to = serializers.SerializerMethodField(help_text="Empty once the law lets it go.")
    currency = serializers.CharField()
    total = serializers.IntegerField(help_text=CENTS)
    tax_total = serializers.IntegerField(help_text=CENTS)
    rates = RateLine(many=True)

    def get_issuer(self, note: CreditNote) -> list[str]:
        return list(note.issuer.lines) if note.issuer else []

    @extend_schema_field(Party(allow_null=True))
    def get_billed_to(self, note: CreditNote) -> dict[str, Any] | None:
        party = self.context["parties"].get(note.pk)
        return party and Party(party, context=self.context).data


class PaymentGiven(StrictSerializer):
    method = Choice(Method)


class OrderView(OwnView):
    area = Area.ORDERS

    def own_order(self, code: str) -> Order:
        return get_object_or_404(orders_of(self.subject_id), code=code)

    def answer_order(self, code: str) -> Response:
        """The order as it is now, opened as its person's right, in a constant number of queries."""
        order = get_object_or_404(orders_with_case(orders_of(self.subject_id)), code=code)
        records = personal_records(order, self.subject_id)
        label = records["label"]
        answer = self.answer(
            order,
            grant=self.opened(),
            records=records,
            labels={label.parcel_id: label} if isinstance(label, ParcelLabel) else {},
            receivers=receivers_of(order, self.subject_id),
        )
        return shown_at(answer, reverse("api:order", args=[order.code]))


class OrderList(OrderView):
    gives = {"GET": OrderLine}
    is_list = True

    def get(self, request: Request) -> Response:
        """Your orders, newest first."""
        orders: QuerySet[Order] = orders_for_list(self.subject_id)
        return self.answer_page(orders)


class OrderPage(OrderView):
    gives = {"GET": OrderShown}

    def get(self, request: Request, code: str) -> Response:
        """One order with its steps and parcels."""
        return self.answer_order(code)


class InvoicePage(OrderView):
    gives = {"GET": InvoiceShown}

    def get(self, request: Request, code: str) -> Response:
        """The invoice of an order."""
        order = get_object_or_404(orders_of(self.subject_id).select_related("invoice__issuer").prefetch_related("lines"), code=code)
        invoice = getattr(order, "invoice", None)
        if invoice is None:
            raise Http404
        party = InvoiceParty.objects.filter(subject_id=self.subject_id, invoice=invoice).first()
        return self.answer(invoice, party=party, grant=self.opened())


class CreditNoteList(OrderView):
    gives = {"GET": CreditNoteShown}
    is_list = True

    def get(self, request: Request, code: str) -> Response:
        """What was taken back of an invoice."""
        notes = CreditNote.objects.filter(invoice__order=self.own_order(code)).select_related("issuer").prefetch_related("rates")
        owned = CreditNoteParty.objects.filter(subject_id=self.subject_id, credit_note__in=notes)
        return self.answer_page(notes, parties={party.credit_note_id: party for party in owned}, grant=self.opened())


class OrderCancellation(OrderView):
    gives = {"POST": OrderShown}

    def post(self, request: Request, code: str) -> Response:
        """Cancel an order before it is packed.

        Money that was set aside or taken goes back to you.
        """
        self.given()
        cancel_order(by=self.actor, order=self.own_order(code), reason="by_customer")
        return self.answer_order(code)


class PaymentRetry(OrderView):
    takes = {"POST": PaymentGiven}
    gives = {"POST": OrderShown}

    def post(self, request: Request, code: str) -> Response:
        """Pay again after the bank said no."""
        given = self.given()
        retry_payment(by=self.actor, order=self.own_order(code), method=given["method"])
        return self.answer_order(code)


urlpatterns = [
    path("orders/", OrderList.as_view(), name="orders"),
    path("orders/<slug:code>/", OrderPage.as_view(), name="order"),
    path("orders/<slug:code>/invoice/", InvoicePage.as_view(), name="invoice"),
    path("orders/<slug:code>/credit-notes/", CreditNoteList.as_view(), name="credit-notes"),
    path("orders/<slug:code>/cancel/", OrderCancellation.as_view(), name="cancel-order"),
    path("orders/<slug:code>/payment/", PaymentRetry.as_view(), name="pay-again"),
]
