"""The one gate in front of personal values: USE-1, USE-2, USE-3, COLLECT-3, COLLECT-4."""
