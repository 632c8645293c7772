"""Signs of life of the processes that answer no requests, kept in the cache."""

import contextlib
import time
from typing import Any

import redis
from celery.beat import PersistentScheduler
from django.core.cache import cache

FORGOTTEN_AFTER = 86_400  # seconds
BEAT_LOOP = 5


def show_pulse(process: str) -> None:
    """Note that the process lives. Never raises for an unreachable cache: the note is missed, the work goes on."""
    with contextlib.suppress(redis.RedisError):
        cache.set(f"pulse:{process}", time.time(), FORGOTTEN_AFTER)


def pulse_age(process: str) -> float | None:
    """Seconds since the process was last known to live; None when it never was."""
    seen: float | None = cache.get(f"pulse:{process}")
    return None if seen is None else max(0.0, time.time() - seen)


class PulsingScheduler(PersistentScheduler):
    """Celery's file-backed timetable, showing that it still looks at the clock."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.max_interval = BEAT_LOOP

    def tick(self, *arguments: Any, **options: Any) -> float:
        show_pulse("beat")
        delay: float = super().tick(*arguments, **options)
        return delay
