"""What happened and what comes next, line by line, as pages and programs show it (RIGHTS-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Step:
    """One line; ``state`` is ``done``, ``now``, ``ahead`` or ``bad``."""

    title: str
    state: str
    at: datetime | None = None
    when: str = ""
    text: str = ""
