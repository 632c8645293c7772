"""What the shop asks of a carrier. Every call is idempotent by its key and made outside transactions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class CarrierTimeout(Exception):
    """No answer in time: the carrier may or may not have done it."""


class CarrierUnreachable(Exception):
    """The carrier was not reached or is out of order."""


@dataclass(frozen=True)
class Booking:
    """The carrier's number for a parcel and the reference of its label."""

    tracking_number: str
    label_reference: str


class Carrier(Protocol):
    """``parcel`` is our random id of the parcel. Each call raises ``CarrierTimeout`` or ``CarrierUnreachable``."""

    def book(self, *, key: str, parcel: str, address: Mapping[str, str]) -> Booking:
        """``address`` has the fields of the delivery address that the country needs, and ``country``."""
        ...

    def collect(self, *, key: str, parcel: str) -> None:
        """Say that a booked parcel waits at the door."""
        ...

    def cancel_booking(self, *, key: str, parcel: str) -> None:
        """Say that a booked parcel will not come; a parcel that the carrier never heard of is as good as canceled."""
        ...

    def find(self, *, key: str) -> Booking | None:
        """The booking with this key, or None if the carrier never got it."""


def carrier() -> Carrier:
    """The carrier that the settings name."""
    return import_string(settings.ORDERS_CARRIER)()
