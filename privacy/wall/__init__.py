"""Keeps PROTECT-2: whatever SQL runs for a customer, the database shows it that customer's rows alone."""
