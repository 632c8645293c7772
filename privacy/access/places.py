"""By which login a request's unit of work runs: that of whoever calls, unless its view says otherwise (PROTECT-2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from privacy.policy.roles import Actor, Role
from privacy.vault.blind_index import blind_index
from privacy.wall.context import Place
from privacy.wall.logins import Login

View = TypeVar("View", bound=Callable[..., Any])
Choice = Callable[..., Place | None]

GATE = Place(Login.GATE)
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class OtherPlace:
    """Why a view does not run as its caller, and where it does: ``choose`` asks at the gate, and None is the caller's own."""

    reason: str
    choose: Choice


def at_the_gate(reason: str) -> Callable[[View], View]:
    """Marks a view, or a class of them, whose work lies in front of the wall, whoever calls.

    As few as can be: there the view alone keeps people apart, and no longer the database too.
    """
    return elsewhere(reason, lambda request, **address: GATE)


def as_staff(reason: str) -> Callable[[View], View]:
    """Marks a view for programs of partners, whose signed messages do what members of staff would."""
    return elsewhere(reason, lambda request, **address: Place(Login.STAFF))


def elsewhere(reason: str, choose: Choice) -> Callable[[View], View]:
    """Marks a view that runs where ``choose(request, **address)`` says, asked at the gate before its unit of work."""

    def mark(view: View) -> View:
        view.other_place = OtherPlace(reason, choose)  # type: ignore[attr-defined]
        return view

    return mark


def other_place(view: Any) -> OtherPlace | None:
    return getattr(getattr(view, "cls", view), "other_place", None)


def behind_wall_of(subject_id: UUID | None) -> Place:
    """That of the person whom a request is about; without one that of nobody, where there is nothing to see."""
    return Place(Login.CUSTOMER, subject_id or NOBODY)


def person_of_form(token: UUID) -> UUID:
    """Who is made by a form without an account: the same for the same form, however often it is sent."""
    return UUID(bytes=blind_index("person-of-form", token.hex)[:16], version=4)


def place_of(request: HttpRequest) -> Place:
    """Where this request's unit of work runs."""
    try:
        found = resolve(request.path_info)
    except Resolver404:
        return _place_of_caller(request)
    other = other_place(found.func)
    return (other and other.choose(request, **found.kwargs)) or _place_of_caller(request)


def _place_of_caller(request: HttpRequest) -> Place:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if actor.id is None:
        return GATE
    if actor.is_staff:
        return Place(Login.AUDITOR if actor.role == Role.AUDITOR else Login.STAFF)
    return Place(Login.CUSTOMER, actor.id)
