"""Until when a purchase can be canceled, and until when the money must be back (Directive 2011/83/EU, Art. 9, 13, 14)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from orders.lifecycle.models import Order
from orders.parcels.models import ParcelState

WITHDRAWAL_DAYS = 14
SEND_BACK_DAYS = 14
REFUND_DAYS = 14
SATURDAY = 5


def last_day(start: datetime, days: int) -> date:
    """The last day of a period of ``days`` that began on the day of ``start``.

    The first day does not count, and a period that would end on a Saturday or Sunday ends with the next Monday
    (Regulation 1182/71, Art. 3). Counting 24-hour days from the hour of delivery instead takes up to a day away.
    """
    last = timezone.localtime(start).date() + timedelta(days=days)
    while last.weekday() >= SATURDAY:
        last += timedelta(days=1)
    return last


def last_day_to_withdraw(order: Order) -> date | None:
    """None while not everything has arrived: the period has not begun (Art. 9(2)(b)(i))."""
    parcels = [parcel for parcel in order.parcels.all() if parcel.state != ParcelState.CANCELED]
    arrived = [parcel.delivered_at for parcel in parcels if parcel.delivered_at is not None]
    if not parcels or len(arrived) < len(parcels):
        return None
    return last_day(max(arrived), WITHDRAWAL_DAYS)


def withdrawal_deadline(order: Order) -> datetime | None:
    """The first moment that is too late."""
    day = last_day_to_withdraw(order)
    return None if day is None else timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


def send_back_until(declared_at: datetime) -> date:
    """The last day on which the buyer sends the goods off (Art. 14(1))."""
    return last_day(declared_at, SEND_BACK_DAYS)


def refund_until(declared_at: datetime) -> date:
    """The last day for the money; it may wait for the goods or a proof that they were sent (Art. 13(1), (3))."""
    return last_day(declared_at, REFUND_DAYS)
