"""The partners that an order needs."""

from tests.orders.conftest import partners

__all__ = ["partners"]
