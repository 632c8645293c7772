"""An order as staff see it: masks, timeline and the steps that are allowed now, on one screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from orders.lifecycle.actions import CANCELABLE, cancel_order, confirm_order
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.mass import CANCEL_ORDERS, CONFIRM_ORDERS
from orders.lifecycle.models import Order, OrderAddress, OrderContact, OrderState
from orders.lifecycle.queries import orders_with_case
from orders.lifecycle.steps import steps_of
from orders.money import MINOR_DIGITS, format_money, major_units, minor_units
from orders.parcels.actions import deliver_parcel, hand_over_parcel, is_label_refused, pack_parcel, request_label
from orders.parcels.models import Parcel, ParcelLabel, ParcelState
from orders.payments.actions import (
    is_unwinding_stuck,
    refund_order,
    refundable,
    retry_capture,
    retry_unwinding,
    was_declined,
)
from orders.payments.models import OperationKind, Payment, PaymentDetail, PaymentState, Refund
from privacy.access.admin import OpenableAdmin
from privacy.access.approvals.mass import MassActs
from privacy.access.forms import StrictForm
from privacy.policy.admin import Button
from privacy.policy.roles import Actor, Role
from privacy.vault.records import PersonalRecord

SUPPORT = frozenset({Role.SUPPORT})
FULFILLMENT = frozenset({Role.FULFILLMENT})
FINANCE = frozenset({Role.FINANCE})
ENDED_UNPAID = (OrderState.CANCELED, OrderState.EXPIRED)


class RefundForm(StrictForm):
    """How much of the captured money goes back, and why; ``left`` is what the person saw could go back."""

    submit_names = frozenset({"_refund"})

    def __init__(self, payment: Payment, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = payment.currency
        left = refundable(payment)
        most = major_units(left, self.currency)
        self.fields["amount"] = forms.DecimalField(
            label=_("Amount in %(currency)s") % {"currency": self.currency},
            min_value=major_units(1, self.currency),
            max_value=most,
            decimal_places=MINOR_DIGITS[self.currency],
            initial=most,
        )
        self.fields["left"] = forms.IntegerField(widget=forms.HiddenInput, initial=left)
        self.fields["reason"] = forms.ChoiceField(label=_("Reason"), choices=Refund.Reason.choices)

    def clean_amount(self) -> int:
        return minor_units(self.cleaned_data["amount"], self.currency)


def _parcel_in(order: Order, state: ParcelState) -> Parcel | None:
    return next((parcel for parcel in order.parcels.all() if parcel.state == state), None)


def _with_parcel(state: ParcelState, action: Callable[..., object]) -> Callable[[Actor, Order], object]:
    def press(actor: Actor, order: Order) -> object:
        parcel = _parcel_in(order, state)
        if parcel is None:
            raise TransitionRefused(order.state)
        return action(by=actor, parcel=parcel)

    return press


def _needs_label_again(order: Order) -> bool:
    parcel = _parcel_in(order, ParcelState.PACKED)
    return parcel is not None and is_label_refused(parcel)


def _needs_capture_again(order: Order) -> bool:
    held = [payment for payment in order.payments.all() if payment.state == PaymentState.AUTHORIZED]
    return order.state == OrderState.CONFIRMED and any(was_declined(payment, OperationKind.CAPTURE) for payment in held)


def _is_cancelable(order: Order) -> bool:
    before = (ParcelState.PLANNED, ParcelState.PACKED)
    return order.state in CANCELABLE and all(parcel.state in before for parcel in order.parcels.all())


@admin.register(Order)
class OrderAdmin(MassActs, OpenableAdmin):
    mass_acts = (CONFIRM_ORDERS, CANCEL_ORDERS)
    viewers = SUPPORT | FULFILLMENT | FINANCE | {Role.FRAUD, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR}
    list_display = ["code", "state", "shown_total", "country", "placed_at"]
    list_filter = ["state", "country"]
    search_fields = ["code"]
    ordering = ["-placed_at"]
    fields: ClassVar = ("code", "state", "country", "shown_total", "placed_at", "confirmed_at", "completed_at", "closed_at")
    readonly_fields = fields
    buttons = [
        Button(
            name="confirm",
            label=_("Confirm the order"),
            does=_("The customer is told, and the parcel appears on the packing list."),
            action=lambda actor, order: confirm_order(by=actor, order=order),
            roles=SUPPORT,
            when=lambda order: order.state == OrderState.RECEIVED,
            refusals=(TransitionRefused,),
        ),
        Button(
            name="pack",
            label=_("Mark as packed"),
            does=_("Takes the payment, issues the invoice and asks the carrier for a label."),
            action=_with_parcel(ParcelState.PLANNED, pack_parcel),
            roles=FULFILLMENT,
            when=lambda order: order.state == OrderState.CONFIRMED and bool(_parcel_in(order, ParcelState.PLANNED)),
            refusals=(TransitionRefused,),
        ),
        Button(
            name="request_label",
            label=_("Ask for the label again"),
            does=_("The carrier could not be asked the last time."),
            action=_with_parcel(ParcelState.PACKED, request_label),
            roles=FULFILLMENT,
            when=_needs_label_again,
            refusals=(TransitionRefused,),
        ),
        Button(
            name="hand_over",
            label=_("Hand over to the carrier"),
            does=_("Takes the goods out of stock, has the parcel collected and tells the customer."),
            action=_with_parcel(ParcelState.PACKED, hand_over_parcel),
            roles=FULFILLMENT,
            when=lambda order: bool(_parcel_in(order, ParcelState.PACKED)),
            refusals=(TransitionRefused,),
        ),
        Button(
            name="deliver",
            label=_("Mark as delivered"),
            does=_("For a carrier that does not report it by itself. The order is complete then."),
            action=_with_parcel(ParcelState.HANDED_OVER, deliver_parcel),
            roles=FULFILLMENT,
            when=lambda order: bool(_parcel_in(order, ParcelState.HANDED_OVER)),
            refusals=(TransitionRefused,),
        ),
        Button(
            name="capture",
            label=_("Take the payment again"),
            does=_("The payment provider declined to take it. The goods stay here until it does."),
            action=lambda actor, order: retry_capture(by=actor, order=order),
            roles=FINANCE,
            when=_needs_capture_again,
            refusals=(TransitionRefused,),
        ),
        Button(
            name="unwind",
            label=_("Give the money back again"),
            does=_("The payment provider declined to let it go or to give it back."),
            action=lambda actor, order: retry_unwinding(by=actor, order=order),
            roles=FINANCE,
            when=lambda order: order.state in ENDED_UNPAID and is_unwinding_stuck(order),
            refusals=(TransitionRefused,),
        ),
        Button(
            name="cancel",
            label=_("Cancel the order"),
            does=_("Frees the stock and gives all money back. This cannot be undone."),
            action=lambda actor, order: cancel_order(by=actor, order=order, reason="by_staff"),
            roles=SUPPORT,
            when=_is_cancelable,
            refusals=(TransitionRefused,),
            is_dangerous=True,
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        orders = super().get_queryset(request)
        match = request.resolver_match
        is_case = bool(match and match.url_name and match.url_name.endswith("_change"))
        return orders_with_case(orders) if is_case else orders

    def personal_records(self, obj: Order) -> list[PersonalRecord]:
        own = {"subject_id": obj.subject_id}
        return [
            *OrderContact.objects.filter(**own, order=obj),
            *OrderAddress.objects.filter(**own, order=obj),
            *PaymentDetail.objects.filter(**own, payment__order=obj).order_by("id"),
            *ParcelLabel.objects.filter(**own, parcel__order=obj),
        ]

    def case_context(self, request: HttpRequest, obj: Order) -> dict[str, Any]:
        payment = self._refundable_payment(request, obj)
        return {
            **super().case_context(request, obj),
            "case_panels": ["orders/admin_case.html"],
            "order": obj,
            "steps": steps_of(obj),
            "refund_form": RefundForm(payment) if payment else None,
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" and "_refund" in request.POST:
            return self._refund(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def _refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.get_object(request, object_id)
        payment = self._refundable_payment(request, order) if order else None
        form = RefundForm(payment, request.POST) if payment else None
        if order is None or form is None or not form.is_valid():
            messages.error(request, _("Nothing was changed: please check amount and reason."))
            return HttpResponseRedirect(request.path)
        try:
            refund_order(by=request.actor, order=order, **form.cleaned_data)  # type: ignore[attr-defined]
            messages.success(request, _("The payment provider is asked to give the money back."))
        except TransitionRefused as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(request.path)

    def _refundable_payment(self, request: HttpRequest, order: Order) -> Payment | None:
        if self._role(request) != Role.FINANCE:
            return None
        return next((payment for payment in order.payments.all() if payment.captured and refundable(payment)), None)

    @admin.display(description=_("total"), ordering="total")
    def shown_total(self, order: Order) -> str:
        return format_money(order.total, order.currency)
