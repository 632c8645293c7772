"""What each start puts in place, with the steps that upper rooms add (COLLECT-1)."""

from collections.abc import Callable

Step = Callable[[], str]

_steps: list[Step] = []


def register_setup_step(step: Step) -> None:
    """Run ``step`` at the end of each ``setup_site``; it repeats nothing and says in a line what is in place."""
    _steps.append(step)


def further_steps() -> list[Step]:
    return list(_steps)
