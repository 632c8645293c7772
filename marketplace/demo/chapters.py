"""Telling the demo's story: one chapter after the other, each whole or not at all, each once.

A chapter is one unit of work, the jobs that its actions queue included, so that no worker ever meets something half
told, such as a parcel that was delivered two years ago and is not closed yet. Its last entry in the log says that it
was told; a loader that is killed begins again at the first chapter without one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import record
from marketplace.demo.clock import set_clock, story_time
from marketplace.demo.paper import outside_on_paper
from privacy.access.gate import unit_of_work
from privacy.jobs.actions import perform_job
from privacy.jobs.models import Job
from privacy.policy.roles import Actor

DEMO = Actor.job("demo")
MOST_TURNS = 100


@dataclass(frozen=True)
class Chapter:
    """``tell`` gets the teller; ``key`` is a token of its own."""

    key: str
    begins_at: datetime
    tell: Callable[[Teller], object]


class Teller:
    """Sets the clock and does the work that the actions leave to be done; ``now`` is when the story is told."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._jobs: deque[Job] = deque()

    def at(self, moment: datetime) -> None:
        """What is left from before is done first; then it is ``moment``."""
        self.do_jobs()
        set_clock(moment)

    def later(self, **delta: float) -> None:
        """So much time passes, and what was queued is done."""
        set_clock(timezone.now() + timedelta(**delta))
        self.do_jobs()

    def note(self, job: Job) -> None:
        """In place of sending it to a worker: the teller does it."""
        self._jobs.append(job)

    def do_jobs(self) -> None:
        """Do what was queued since, and what that queues. A job that wants to wait is done at the moment it names.

        One that fails is left to the workers of the running site.
        """
        turns = 0
        while self._jobs and turns < MOST_TURNS:
            turns += 1
            job = self._jobs.popleft()
            perform_job(job._meta.label_lower, job.pk)
            job.refresh_from_db(fields=["state", "due_at", "error"])
            if job.is_open and not job.error:
                set_clock(job.due_at)
                self._jobs.append(job)


@contextmanager
def telling(now: datetime) -> Iterator[Teller]:
    """Everything that the story needs around it: its clock, its outside, and no worker that takes its jobs."""
    teller = Teller(now)
    with ExitStack() as stack:
        stack.enter_context(story_time())
        stack.enter_context(outside_on_paper())
        stack.enter_context(_jobs_noted_by(teller))
        yield teller


def tell(teller: Teller, chapter: Chapter) -> None:
    set_clock(chapter.begins_at)
    with unit_of_work():
        chapter.tell(teller)
        teller.do_jobs()
        record(Event.STORY_TOLD, by=DEMO, outcome=chapter.key)


def told_chapters() -> set[str]:
    return set(Entry.objects.filter(event=Event.STORY_TOLD).values_list("outcome", flat=True))


@contextmanager
def _jobs_noted_by(teller: Teller) -> Iterator[None]:
    before = Job.send_after_commit

    def note(job: Job) -> None:
        teller.note(job)

    Job.send_after_commit = note  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Job.send_after_commit = before  # type: ignore[method-assign]
