"""Setting rates for days to come, and taking back one that has not begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from orders.rates.errors import RateBegun
from orders.rates.models import Rate, ShippingRate, TaxRate
from privacy.policy.roles import Actor

AnyRate = TypeVar("AnyRate", TaxRate, ShippingRate)

SET: dict[type[Rate], Event] = {TaxRate: Event.TAX_RATE_SET, ShippingRate: Event.SHIPPING_RATE_SET}
TAKEN_BACK: dict[type[Rate], Event] = {TaxRate: Event.TAX_RATE_TAKEN_BACK, ShippingRate: Event.SHIPPING_RATE_TAKEN_BACK}


@transaction.atomic
def set_rate(*, by: Actor, rate: AnyRate) -> AnyRate:
    """Save an unsaved rate; ``RateBegun`` for a day in the past, ``ValidationError`` for a day that has one already.

    A rate may begin today: orders placed earlier today keep what they were shown.
    """
    if rate.valid_from < timezone.localdate():
        raise RateBegun
    return _save(by, rate)


@transaction.atomic
def set_first_rates(*, by: Actor, rates: Sequence[AnyRate]) -> None:
    """The rates that the shop opens with, whatever their day."""
    for rate in rates:
        _save(by, rate)


@transaction.atomic
def take_back_rate(*, by: Actor, rate: TaxRate | ShippingRate) -> None:
    """Remove a rate that has not begun; ``RateBegun`` for any other."""
    locked = type(rate).objects.select_for_update().get(pk=rate.pk)
    if locked.has_begun:
        raise RateBegun
    reference = Reference.to(locked)
    locked.delete()
    record(TAKEN_BACK[type(rate)], by=by, object=reference)


def _save(by: Actor, rate: AnyRate) -> AnyRate:
    rate.full_clean()
    rate.save(force_insert=True)
    record(SET[type(rate)], by=by, object=rate)
    return rate
