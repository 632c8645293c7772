"""The shop: catalogue, basket, checkout, and what happens to an order until it is closed."""
