"""What the shop asks of a payment provider. Every call is idempotent by its key and made outside transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class GatewayTimeout(Exception):
    """No answer in time: the provider may or may not have done it."""


class GatewayUnreachable(Exception):
    """The provider was not reached or is out of order: it has done nothing that it told us of."""


@dataclass(frozen=True)
class Answer:
    """How far the provider is with an operation; ``label`` names the payment method for the payer."""

    state: Literal["pending", "succeeded", "declined"]
    label: str = ""


class PaymentGateway(Protocol):
    """``key`` is the idempotency key, ``payment`` our random id of the payment, amounts are in minor units.

    Each call raises ``GatewayTimeout`` or ``GatewayUnreachable``. The same key with another amount is an error.
    """

    def authorize(self, *, key: str, payment: str, amount: int, currency: str, method: str, payer: str) -> Answer: ...

    def capture(self, *, key: str, payment: str, amount: int, currency: str) -> Answer: ...

    def void(self, *, key: str, payment: str, amount: int, currency: str) -> Answer: ...

    def refund(self, *, key: str, payment: str, amount: int, currency: str) -> Answer: ...

    def find(self, *, key: str) -> Answer | None:
        """The operation with this key, or None if the provider never got it."""


def payment_gateway() -> PaymentGateway:
    """The gateway that the settings name."""
    return import_string(settings.ORDERS_PAYMENT_GATEWAY)()
