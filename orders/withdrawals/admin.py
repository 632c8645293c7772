"""A canceled purchase as staff see it: what was given up, until when what is due, and the steps that are allowed now."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from orders.lifecycle.actions import ON_ITS_WAY
from orders.lifecycle.errors import TransitionRefused
from orders.lifecycle.models import OrderContact
from orders.parcels.models import ParcelLabel
from orders.payments.models import PaymentDetail
from orders.withdrawals.actions import (
    WAITING_FOR_GOODS,
    accept_late_withdrawal,
    exempt_withdrawal,
    is_refund_possible,
    receive_goods,
    refund_withdrawal,
)
from orders.withdrawals.deadlines import refund_until, send_back_until
from orders.withdrawals.forms import ExemptionForm, LateForm
from orders.withdrawals.models import ContractWithdrawal, WithdrawalState
from orders.withdrawals.queries import refund_due
from privacy.access.admin import OpenableAdmin
from privacy.policy.admin import Button
from privacy.policy.roles import Role
from privacy.vault.records import PersonalRecord

SUPPORT = frozenset({Role.SUPPORT})
FULFILLMENT = frozenset({Role.FULFILLMENT})
FINANCE = frozenset({Role.FINANCE})


def _is_undecided(withdrawal: ContractWithdrawal) -> bool:
    return withdrawal.is_late and not withdrawal.late_reason and withdrawal.state in WAITING_FOR_GOODS


def _may_receive(withdrawal: ContractWithdrawal) -> bool:
    has_left = any(parcel.state in ON_ITS_WAY for parcel in withdrawal.order.parcels.all())
    return withdrawal.state in WAITING_FOR_GOODS and not _is_undecided(withdrawal) and has_left


def _may_refund(withdrawal: ContractWithdrawal) -> bool:
    return withdrawal.state == WithdrawalState.GOODS_BACK and is_refund_possible(withdrawal)


@admin.register(ContractWithdrawal)
class ContractWithdrawalAdmin(OpenableAdmin):
    viewers = SUPPORT | FULFILLMENT | FINANCE | {Role.PRIVACY_OFFICER, Role.ADMINISTRATOR}
    list_display = ["order", "state", "is_late", "outcome", "declared_at"]
    list_filter = ["state", "is_late", "outcome"]
    list_select_related = ["order"]
    search_fields = ["order__code"]
    ordering = ["-declared_at"]
    fields: ClassVar = (
        "order", "state", "declared_at", "deadline_at", "is_late", "late_reason", "acknowledged_at",
        "goods_back_at", "refunded_at", "exemption", "outcome", "closed_at",
    )  # fmt: skip
    readonly_fields = fields
    buttons = [
        Button(
            name="receive",
            label=_("The goods are back"),
            does=_("Puts them on the shelf again. Finance gives the money back next."),
            action=lambda actor, withdrawal: receive_goods(by=actor, withdrawal=withdrawal, to_stock=True),
            roles=FULFILLMENT,
            when=_may_receive,
            refusals=(TransitionRefused,),
        ),
        Button(
            name="receive_unfit",
            label=_("The goods are back, and cannot be sold again"),
            does=_("Nothing goes on the shelf. Finance gives the money back next."),
            action=lambda actor, withdrawal: receive_goods(by=actor, withdrawal=withdrawal, to_stock=False),
            roles=FULFILLMENT,
            when=_may_receive,
            refusals=(TransitionRefused,),
        ),
        Button(
            name="refund",
            label=_("Give the money back"),
            does=_("The price of what was given up, with the delivery if nothing of the order is left. Issues a credit note."),
            action=lambda actor, withdrawal: refund_withdrawal(by=actor, withdrawal=withdrawal),
            roles=FINANCE,
            when=_may_refund,
            refusals=(TransitionRefused,),
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContractWithdrawal]:
        return super().get_queryset(request).select_related("order", "refund__operation")

    def personal_records(self, obj: ContractWithdrawal) -> list[PersonalRecord]:
        own = {"subject_id": obj.order.subject_id}
        return [
            *OrderContact.objects.filter(**own, order=obj.order),
            *PaymentDetail.objects.filter(**own, payment__order=obj.order).order_by("id"),
            *ParcelLabel.objects.filter(**own, parcel__order=obj.order),
        ]

    def case_context(self, request: HttpRequest, obj: ContractWithdrawal) -> dict[str, Any]:
        decides = self._role(request) in SUPPORT
        return {
            **super().case_context(request, obj),
            "case_panels": ["orders/admin_withdrawal.html"],
            "withdrawal": obj,
            "given_up": obj.lines.select_related("line"),
            "due": refund_due(obj) if obj.is_open else None,
            "send_back_until": send_back_until(obj.declared_at),
            "refund_until": refund_until(obj.declared_at),
            "late_form": LateForm() if decides and _is_undecided(obj) else None,
            "exemption_form": ExemptionForm() if decides and obj.is_open else None,
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" and {"_exempt", "_accept_late"} & set(request.POST):
            return self._decide(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def _decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        withdrawal = self.get_object(request, object_id)
        if withdrawal is None or self._role(request) not in SUPPORT:
            raise PermissionDenied
        action, form = (
            (exempt_withdrawal, ExemptionForm(request.POST))
            if "_exempt" in request.POST
            else (accept_late_withdrawal, LateForm(request.POST))
        )
        if not form.is_valid():
            messages.error(request, _("Nothing was changed: please choose a reason from the list."))
            return HttpResponseRedirect(request.path)
        try:
            action(by=request.actor, withdrawal=withdrawal, **form.cleaned_data)  # type: ignore[attr-defined]
            messages.success(request, _("Done. The customer reads it on the page of the order."))
        except TransitionRefused as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(request.path)
