"""Sealed values and the keys that open them: PROTECT-1, PROTECT-4."""
