"""The payment provider and the carrier of the story's past, on paper: nothing leaves the process."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings

from orders.parcels.carrier import Booking
from orders.payments.gateway import Answer
from orders.payments.models import Method

LABELS = ("Visa ending 4242", "Mastercard ending 4444", "Visa ending 1881", "American Express ending 0005")


class PaperGateway:
    """Answers at once, as the sandbox does after a while; a slow bank says nothing yet."""

    def authorize(self, *, key: str, payment: str, amount: int, currency: str, method: str, payer: str) -> Answer:
        if method == Method.SLOW:
            return Answer("pending")
        return Answer("declined" if method == Method.DECLINED else "succeeded", secrets.choice(LABELS))

    def capture(self, *, key: str, payment: str, amount: int, currency: str) -> Answer:
        return Answer("succeeded")

    def void(self, *, key: str, payment: str, amount: int, currency: str) -> Answer:
        return Answer("succeeded")

    def refund(self, *, key: str, payment: str, amount: int, currency: str) -> Answer:
        return Answer("succeeded")

    def find(self, *, key: str) -> Answer | None:
        return None


class PaperCarrier:
    def book(self, *, key: str, parcel: str, address: Mapping[str, str]) -> Booking:
        return Booking(f"SB{secrets.randbelow(10**10):010}", f"L-{secrets.randbelow(10**6):06}")

    def collect(self, *, key: str, parcel: str) -> None:
        """It is told and fetches the parcel."""

    def find(self, *, key: str) -> Booking | None:
        return None


@contextmanager
def outside_on_paper() -> Iterator[None]:
    """Inside, this process asks paper instead of the partners that the settings name."""
    before = settings.ORDERS_PAYMENT_GATEWAY, settings.ORDERS_CARRIER
    settings.ORDERS_PAYMENT_GATEWAY = f"{__name__}.{PaperGateway.__name__}"
    settings.ORDERS_CARRIER = f"{__name__}.{PaperCarrier.__name__}"
    try:
        yield
    finally:
        settings.ORDERS_PAYMENT_GATEWAY, settings.ORDERS_CARRIER = before
