"""From a basket to an order: price, address, permissions, payment method."""
