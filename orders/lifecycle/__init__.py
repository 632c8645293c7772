"""An order from its placing to its end, and what both sides see of it."""
