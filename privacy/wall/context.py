"""As whom the queries of this thread run: plain ORM code asks the database, and this decides by which login (PROTECT-2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.db import connection

from privacy.wall.errors import OutsideWall
from privacy.wall.logins import Login


class Place(NamedTuple):
    """A login and, for a customer's, the one person whose rows it sees."""

    login: Login
    subject_id: UUID | None = None


_place: ContextVar[Place | None] = ContextVar("place", default=None)


def current_place() -> Place | None:
    """Where the innermost ``entered()`` has led; None is the login of the process."""
    return _place.get()


def leave_all_places() -> None:
    """For a forked child, which is where its process begins."""
    _place.set(None)


@contextmanager
def standing_at(place: Place) -> Iterator[None]:
    """What `current_place()` says inside."""
    token = _place.set(place)
    try:
        yield
    finally:
        _place.reset(token)


@contextmanager
def entered(login: Login, subject_id: UUID | None = None) -> Iterator[None]:
    """Every query inside runs by this login, a customer's behind the wall of this person.

    Raises OutsideWall inside an open transaction that runs by another: what it holds would be another's too.
    """
    if (login is Login.CUSTOMER) != (subject_id is not None):
        raise OutsideWall("a customer's login is entered for one person, every other for nobody: entered(Login.CUSTOMER, subject_id)")
    with standing_at(Place(login, subject_id)):
        cast(Any, connection).follow()
        yield
