"""How many people a member of staff may open within an hour, counted from the looks themselves (PROTECT-3)."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from privacy.access.oversight.actions import close_openings
from privacy.access.oversight.errors import HardLimit, SoftLimit
from privacy.access.oversight.models import OpeningClosure, OpeningConfirmation
from privacy.access.oversight.queries import looks_since
from privacy.access.units import current_unit
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """People an hour: past ``soft`` the member of staff is asked, past ``hard`` they open nobody any more."""

    soft: int
    hard: int


def limit_of(role: str) -> Limit:
    return Limit(*settings.OPENINGS_AN_HOUR[role])


def check_number(actor: Actor, purpose: Purpose, subject_ids: frozenset[UUID]) -> None:
    """As the gate asks before the first look at somebody: raises SoftLimit or HardLimit; four small queries.

    Jobs and customers are not counted, nor is what staff see of themselves. Whoever was opened within the hour is
    opened again without being counted twice.
    """
    others = subject_ids - {actor.id}
    if not actor.is_staff or actor.id is None or not others:
        return
    _wait_for_turn(actor.id)
    since = _counted_from(actor.id, timezone.now() - HOUR)
    opened = _opened(actor.id, actor.role, since)
    if not others <= opened.keys():
        _refuse_too_many(actor.id, actor.role, opened, others)


def _wait_for_turn(actor_id: UUID) -> None:
    """Two openings by one person at the same moment count one another: the second waits until the first has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(actor_id.bytes[8:], "big", signed=True)])


def _counted_from(actor_id: UUID, hour_ago: datetime) -> datetime:
    """What was opened before a closure was lifted is settled. Raises HardLimit while one holds."""
    closures = OpeningClosure.objects.filter(Q(lifted_at=None) | Q(lifted_at__gt=hour_ago), actor_id=actor_id)
    since = hour_ago
    for lifted_at in closures.values_list("lifted_at", flat=True):
        if lifted_at is None:
            raise HardLimit
        since = max(since, lifted_at)
    return since


def _opened(actor_id: UUID, role: str, since: datetime) -> dict[UUID, datetime]:
    """Whom they opened in this role, and when first."""
    looks = looks_since(since).filter(actor_id=actor_id, role=role).order_by("-opened_at")
    return dict(looks.values_list("subject_id", "opened_at"))


def _refuse_too_many(actor_id: UUID, role: str, opened: dict[UUID, datetime], others: Set[UUID]) -> None:
    limit, fresh = limit_of(role), len(others - opened.keys())
    if len(opened) + fresh > limit.hard:
        current_unit().afterwards.append(partial(close_openings, actor_id=actor_id, role=role, people=len(opened) + fresh))
        raise HardLimit
    confirmed_at = _confirmed_at(actor_id, role)
    if sum(confirmed_at is None or at > confirmed_at for at in opened.values()) + fresh > limit.soft:
        raise SoftLimit


def _confirmed_at(actor_id: UUID, role: str) -> datetime | None:
    said = OpeningConfirmation.objects.filter(actor_id=actor_id, role=role, confirmed_at__gt=timezone.now() - HOUR)
    return said.order_by("-confirmed_at").values_list("confirmed_at", flat=True).first()
