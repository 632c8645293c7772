"""Exceptions to the matrix that two people made, for some days (PROTECT-3)."""
