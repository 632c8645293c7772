"""Money: what is asked of the payment provider, and what came of it."""
