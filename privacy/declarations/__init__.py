"""What is personal, why it is held, and for how long: COLLECT-1, COLLECT-2, COLLECT-4."""
