"""What upper rooms add to a purge: holds, invariants, and rows without personal values that end too (CHANGE-4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models

Hold = Callable[[type[models.Model], models.QuerySet[Any]], models.QuerySet[Any]]
Invariant = Callable[[], str | int]
Cleanup = Callable[[], int]

_holds: list[Hold] = []
_invariants: dict[str, Invariant] = {}
_cleanups: dict[str, Cleanup] = {}


def register_hold(hold: Hold) -> None:
    """``hold(model, queryset)`` gives the queryset without the rows that something open still needs.

    It may filter and exclude; a grouped, distinct or sliced queryset cannot be locked.
    """
    if hold not in _holds:
        _holds.append(hold)


def register_invariant(name: str, digest: Invariant) -> None:
    """``digest()`` must be the same before and after a run, whatever ordinary business goes on beside it.

    For instance the number of orders whose total differs from the sum of their lines.
    """
    _invariants[name] = digest


def register_cleanup(name: str, clean: Cleanup) -> None:
    """``clean()`` removes what else has ended (files, sessions, mail rows) and returns how much; idempotent."""
    _cleanups[name] = clean


def under_no_hold(model: type[models.Model], queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    for hold in _holds:
        queryset = hold(model, queryset)
    return queryset


def invariants_now() -> dict[str, str]:
    return {name: str(digest()) for name, digest in sorted(_invariants.items())}


def cleanups() -> dict[str, Cleanup]:
    return dict(_cleanups)
