"""Cancel a purchase, for programs: what can still be given up, the declaration, and its acknowledgement."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from orders.lifecycle.models import Order
from orders.lifecycle.queries import orders_of
from orders.withdrawals.actions import declare_withdrawal
from orders.withdrawals.deadlines import WITHDRAWAL_DAYS, last_day_to_withdraw, refund_until, send_back_until
from orders.withdrawals.models import ContractWithdrawal, WithdrawalState
from orders.withdrawals.queries import WITHDRAWABLE, pieces_left, withdrawals_of
from privacy.interface.areas import Area
from privacy.interface.serializers import Choice, StrictSerializer, WholeNumber
from privacy.interface.views import OwnView, made_at


class LeftLine(StrictSerializer):
    line = serializers.UUIDField()
    title = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)


class WithdrawalPlan(StrictSerializer):
    left = LeftLine(many=True, help_text="What can still be given up.")
    until = serializers.DateField(allow_null=True, help_text="The last day; empty while the time has not begun.")
    days = serializers.IntegerField(min_value=14)


class GivenUp(StrictSerializer):
    line = serializers.UUIDField()
    quantity = WholeNumber(min_value=1, max_value=999_999)


class Declaration(StrictSerializer):
    lines = GivenUp(many=True, required=False, help_text="Without it, everything that is left. No reason is asked for.")


class GivenUpLine(StrictSerializer):
    title = serializers.CharField(source="line.title")
    quantity = serializers.IntegerField(min_value=1)


class Acknowledgement(StrictSerializer):
    id = serializers.UUIDField()
    state = Choice(WithdrawalState)
    declared_at = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    is_late = serializers.BooleanField(help_text="Declared after the last day; we decide and give the reason.")
    outcome = Choice(ContractWithdrawal.Outcome, allow_blank=True)
    exemption = Choice(ContractWithdrawal.Exemption, allow_blank=True)
    lines = GivenUpLine(many=True)
    send_back_until = serializers.SerializerMethodField()
    refund_until = serializers.SerializerMethodField()

    def get_send_back_until(self, withdrawal: ContractWithdrawal) -> date:
        return send_back_until(withdrawal.declared_at)

    def get_refund_until(self, withdrawal: ContractWithdrawal) -> date:
        return refund_until(withdrawal.declared_at)


class WithdrawalView(OwnView):
    area = Area.ORDERS

    def own_order(self, code: str) -> Order:
        return get_object_or_404(orders_of(self.subject_id).prefetch_related("lines", "parcels"), code=code)


class WithdrawalPlanPage(WithdrawalView):
    gives = {"GET": WithdrawalPlan}

    def get(self, request: Request, code: str) -> Response:
        """What of a purchase can still be given up, and until when."""
        order = self.own_order(code)
        left = pieces_left(order) if order.state in WITHDRAWABLE else {}
        lines = [{"line": line.pk, "title": line.title, "quantity": pieces} for line, pieces in left.items()]
        return self.answer({"left": lines, "until": last_day_to_withdraw(order), "days": WITHDRAWAL_DAYS})


class WithdrawalList(WithdrawalView):
    takes = {"POST": Declaration}
    gives = {"GET": Acknowledgement, "POST": Acknowledgement}
    made_by = frozenset({"POST"})
    is_list = True

    def get(self, request: Request, code: str) -> Response:
        """What you declared about a purchase, and what came of it."""
        return self.answer_page(withdrawals_of(self.own_order(code)))

    def post(self, request: Request, code: str) -> Response:
        """Cancel a purchase, or some of it."""
        given, order = self.given(), self.own_order(code)
        quantities: dict[Any, int] | None = {line["line"]: line["quantity"] for line in given["lines"]} if "lines" in given else None
        made = declare_withdrawal(by=self.actor, order=order, token=uuid4(), quantities=quantities)
        shown = get_object_or_404(withdrawals_of(order), pk=made.pk)
        return made_at(self.answer(shown), reverse("api:withdrawal", args=[order.code, made.pk]))


class WithdrawalPage(WithdrawalView):
    gives = {"GET": Acknowledgement}

    def get(self, request: Request, code: str, withdrawal_id: Any) -> Response:
        """One declaration."""
        return self.answer(get_object_or_404(withdrawals_of(self.own_order(code)), pk=withdrawal_id))


urlpatterns = [
    path("orders/<slug:code>/withdrawal-plan/", WithdrawalPlanPage.as_view(), name="withdrawal-plan"),
    path("orders/<slug:code>/withdrawals/", WithdrawalList.as_view(), name="withdrawals"),
    path("orders/<slug:code>/withdrawals/<uuid:withdrawal_id>/", WithdrawalPage.as_view(), name="withdrawal"),
]
