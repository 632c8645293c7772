"""Live evidence about exceptions to the matrix (PROTECT-3)."""

from __future__ import annotations

from django.utils.translation import ngettext

from privacy.access.overrides.queries import overrides_by_the_clock, overrides_in_force
from privacy.policy.promises import Evidence, register_evidence


def register() -> None:
    register_evidence("PROTECT-3", exceptions_in_force)


def exceptions_in_force() -> Evidence:
    """Each has two people behind it, or the promise is broken."""
    running, decided = overrides_by_the_clock().count(), overrides_in_force().count()
    text = ngettext(
        "%(number)d exception to this table is in force; two people decided it, and it ends by itself.",
        "%(number)d exceptions to this table are in force; two people decided each, and they end by themselves.",
        running,
    ) % {"number": running}
    return Evidence(decided == running, text)
