"""Identifiers made by the application, so that a row's id exists before its values are sealed (PROTECT-1)."""

from audit.identifiers import uuid7

__all__ = ["uuid7"]
