"""What a person wants to know at a glance: what is open, who looked, what goes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from orders.lifecycle.models import ENDED, Order
from orders.lifecycle.queries import orders_of
from privacy.access.gate import Grant
from privacy.complaints.models import Ticket
from privacy.complaints.queries import tickets_in_work, tickets_of
from privacy.policy.models import PolicyVersion
from privacy.policy.queries import version_to_come
from privacy.retention.queries import Going, goings_of
from privacy.rights.models import Request
from privacy.rights.queries import open_requests, requests_of
from privacy.rights.restrictions import restrictions_of
from privacy.rights.uses import UseLine, lines_of, narrowed, uses_of

SHOWN = 3


@dataclass(frozen=True)
class Some:
    """The first few of something, and whether there are more."""

    shown: Sequence[Any]
    has_more: bool

    @classmethod
    def of(cls, found: QuerySet[Any] | Sequence[Any]) -> Some:
        few = list(found[: SHOWN + 1])
        return cls(few[:SHOWN], len(few) > SHOWN)


@dataclass(frozen=True)
class Overview:
    orders: Some
    requests: Some
    tickets: Some
    restrictions: QuerySet[Any]
    looks: list[UseLine]
    goings: list[Going]
    policy_to_come: PolicyVersion | None


def open_orders(subject_id: UUID) -> QuerySet[Order]:
    return orders_of(subject_id).exclude(state__in=ENDED)


def overview_of(subject_id: UUID, grant: Grant) -> Overview:
    """Everything on the overview, in a constant number of queries; reasons of staff are opened under ``grant``."""
    return Overview(
        orders=Some.of(open_orders(subject_id)),
        requests=Some.of(_requests(subject_id)),
        tickets=Some.of(_tickets(subject_id)),
        restrictions=restrictions_of(subject_id),
        looks=lines_of(subject_id, narrowed(uses_of(subject_id), subject_id=subject_id, who="staff")[:SHOWN], grant),
        goings=goings_of(subject_id, SHOWN),
        policy_to_come=version_to_come(),
    )


def _requests(subject_id: UUID) -> QuerySet[Request]:
    """Open ones, the most urgent first."""
    return (requests_of(subject_id) & open_requests()).order_by("due_at")


def _tickets(subject_id: UUID) -> QuerySet[Ticket]:
    return (tickets_of(subject_id) & tickets_in_work()).order_by("due_at")
