"""The demo's past: a clock that the loading process sets, so that what it does through the actions happened before.

Everything in the site asks one function what time it is, ``django.utils.timezone.now``, and that function asks the
name ``datetime`` of its own module. Inside ``story_time()`` that name is a clock that stands where the story is. The
log is the exception: its entries are dated by the database, whose clock nobody moves. ``audit.record.told_at`` dates
them instead, which PostgreSQL allows to the owner of the table alone; so the loader logs in as the owner, and every
entry that it tells says so in ``db_role``. Nothing is changed afterwards, in the log or anywhere else: what is told
is integrated into the tree and verified like any other entry. A checkpoint says when it was really signed.

No process that serves the site imports this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo

from django.utils import timezone

from audit.record import told_at


class _IsDatetime(type):
    """``isinstance`` in Django's module goes on meaning real moments."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


class StoryTime(datetime, metaclass=_IsDatetime):
    """In place of ``datetime`` where Django reads the clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        moment = told_at.get()
        return datetime.now(tz) if moment is None else moment.astimezone(tz)


@contextmanager
def story_time() -> Iterator[None]:
    """Inside, the moment given to ``set_clock`` is now; before the first it is the real one."""
    before, token = timezone.datetime, told_at.set(None)  # type: ignore[attr-defined]
    timezone.datetime = StoryTime  # type: ignore[attr-defined]
    try:
        yield
    finally:
        timezone.datetime = before  # type: ignore[attr-defined]
        told_at.reset(token)


def set_clock(moment: datetime) -> None:
    told_at.set(moment)
