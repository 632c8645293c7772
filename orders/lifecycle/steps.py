"""The timeline of an order as people read it: what happened, what is going on, what comes next and by when."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from orders.lifecycle.models import Order, OrderEvent, OrderState
from orders.lifecycle.working_days import working_day_after
from orders.parcels.models import ParcelState
from orders.withdrawals.deadlines import last_day_to_withdraw, refund_until, send_back_until
from orders.withdrawals.models import ContractWithdrawal
from privacy.interface.timeline import Step

Kind = OrderEvent.Kind
BAD = (Kind.PAYMENT_DECLINED, Kind.PAYMENT_FAILED, Kind.CANCELED, Kind.EXPIRED)
CHECK_DAYS = 1
PACK_DAYS = 2
TRAVEL_DAYS = 5


def steps_of(order: Order) -> list[Step]:
    """Past steps from the events, then what is still to come if nothing goes wrong; reads what ``orders_with_case`` fetched."""
    past = [Step(str(Kind(event.kind).label), "bad" if event.kind in BAD else "done", at=event.at) for event in order.events.all()]
    return past + _coming(order) + [_withdrawn(withdrawal) for withdrawal in order.withdrawals.all() if withdrawal.is_open]


def _coming(order: Order) -> list[Step]:
    if order.state == OrderState.PENDING_PAYMENT:
        return [_paying(order), _ahead(_("A person checks your order.")), _packing(None), _arrival(None)]
    if order.state == OrderState.RECEIVED:
        return [_checking(order), _packing(None), _arrival(None)]
    if order.state == OrderState.CONFIRMED:
        return _on_its_way(order)
    if order.state == OrderState.COMPLETED:
        return _after_delivery(order)
    return []


def _paying(order: Order) -> Step:
    last = [event.kind for event in order.events.all()][-1:]
    if last != [Kind.PAYMENT_DECLINED]:
        return _now(_("We wait for your bank."), _("Mostly seconds, sometimes minutes. This page says so when it has answered."))
    ends_at = timezone.localtime(order.placed_at + settings.ORDERS_PAYMENT_WINDOW)
    return _now(_("You pay again, or the order ends by itself."), _("Until %(time)s.") % {"time": formats.time_format(ends_at)})


def _checking(order: Order) -> Step:
    return _now(_("A person checks your order."), _by(working_day_after(order.received_at or order.placed_at, CHECK_DAYS)))


def _on_its_way(order: Order) -> list[Step]:
    parcels = {parcel.state: parcel for parcel in order.parcels.all()}
    if ParcelState.PLANNED in parcels:
        return [_packing(order.confirmed_at, "now"), _arrival(None)]
    if ParcelState.PACKED in parcels:
        packed_at = parcels[ParcelState.PACKED].packed_at
        return [_now(_("We give your parcel to the carrier."), _by(packed_at and working_day_after(packed_at, CHECK_DAYS))), _arrival(None)]
    handed_over = parcels.get(ParcelState.HANDED_OVER)
    return [_arrival(handed_over.handed_over_at if handed_over else None, "now")]


def _after_delivery(order: Order) -> list[Step]:
    until = last_day_to_withdraw(order)
    if until is None or until < timezone.localdate():
        return []
    return [Step(_("You can cancel the purchase without a reason."), "ahead", when=_("until %(day)s") % {"day": _day(until)})]


def _withdrawn(withdrawal: ContractWithdrawal) -> Step:
    """What an open cancellation of the purchase waits for."""
    if withdrawal.is_late and not withdrawal.late_reason:
        return _now(_("We look at your cancellation and write to you."), _("It came after the time to cancel."))
    if withdrawal.goods_back_at is None:
        return _now(_("You send the goods back."), _("Until %(day)s.") % {"day": _day(send_back_until(withdrawal.declared_at))})
    return _now(_("We give your money back."), _("At the latest on %(day)s.") % {"day": _day(refund_until(withdrawal.declared_at))})


def _packing(confirmed_at: datetime | None, state: str = "ahead") -> Step:
    by = _by(confirmed_at and working_day_after(confirmed_at, PACK_DAYS))
    return Step(_("We pack your parcel and take the payment."), state, when=_("now") if state == "now" else _("then"), text=by)


def _arrival(handed_over_at: datetime | None, state: str = "ahead") -> Step:
    by = _by(handed_over_at and working_day_after(handed_over_at, TRAVEL_DAYS))
    return Step(_("The carrier brings it to your door."), state, when=_("now") if state == "now" else _("at last"), text=by)


def _by(day: date | None) -> str:
    """Nothing for a day that has passed: we are late, and a day gone by is no help."""
    return _("Mostly by %(day)s.") % {"day": _day(day)} if day is not None and day >= timezone.localdate() else ""


def _day(day: date) -> str:
    return formats.date_format(day, "DATE_FORMAT")


def _now(title: str, text: str = "") -> Step:
    return Step(title, "now", when=_("now"), text=text)


def _ahead(title: str) -> Step:
    return Step(title, "ahead", when=_("then"))
