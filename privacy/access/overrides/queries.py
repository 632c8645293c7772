"""What the matrix and the exceptions in force open together (PROTECT-3)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet
from django.utils import timezone

from privacy.access.approvals.models import Proposal
from privacy.access.overrides.models import MatrixOverride
from privacy.access.units import Unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.matrix import MATRIX, categories_open_to
from privacy.policy.roles import STAFF_ROLES, Role

NONE: frozenset[Category] = frozenset()

OVERRIDABLE = [role for role in Role if role in STAFF_ROLES and MATRIX[role]]
"""Roles that open something already: who runs or checks the site needs no personal value, and gets none."""


def overrides_by_the_clock() -> QuerySet[MatrixOverride]:
    """Those that begin and end around this moment, whoever decided them."""
    now = timezone.now()
    return MatrixOverride.objects.filter(begins_at__lte=now, ends_at__gt=now).order_by("ends_at")


def overrides_in_force() -> QuerySet[MatrixOverride]:
    """Those that two people decided; the clock alone ends them."""
    return overrides_by_the_clock().filter(proposal__state=Proposal.State.PERFORMED)


def categories_open_now(unit: Unit, role: Role, purpose: Purpose) -> frozenset[Category]:
    """As ``categories_open_to``, with the exceptions in force; never more than the purpose itself allows.

    One query a unit of work, and none for roles that have no exceptions.
    """
    base = categories_open_to(role, purpose)
    if role not in OVERRIDABLE:
        return base
    if unit.overrides is None:
        unit.overrides = _overrides()
    return base | unit.overrides.get((role, purpose), NONE) & PURPOSES[purpose].categories


def purposes_open_now(unit: Unit, role: Role) -> list[Purpose]:
    """The purposes for which ``role`` may open anything now, in their published order."""
    return [purpose for purpose in Purpose if categories_open_now(unit, role, purpose)]


def _overrides() -> Mapping[tuple[str, str], frozenset[Category]]:
    found: dict[tuple[str, str], frozenset[Category]] = {}
    for role, purpose, categories in overrides_in_force().values_list("role", "purpose", "categories"):
        found[role, purpose] = found.get((role, purpose), NONE) | {Category(name) for name in categories}
    return found
