"""The one matrix: which role opens which categories for which purpose (PROTECT-3, USE-1).

What is not listed stays masked on pages that the role may see, and cannot be opened. The customer's row
holds for their own data alone. The administrator has no row: running the system needs no personal value. Nor has
the seller yet: a seller opens one open parcel's fields, and nothing ties a seller to a parcel so far.
"""

from __future__ import annotations

from collections.abc import Mapping

from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.roles import Role

A, P, D, F, I = Category  # noqa: E741  account, purchase, delivery, financial, interaction

MATRIX: Mapping[Role, Mapping[Purpose, frozenset[Category]]] = {
    Role.CUSTOMER: {purpose: rule.categories for purpose, rule in PURPOSES.items() if purpose != Purpose.LEGAL},
    Role.SUPPORT: {
        Purpose.ORDER: frozenset({A, P}),
        Purpose.SUPPORT: frozenset({A, P, D, I}),
        Purpose.IDENTITY: frozenset({A, I}),
        Purpose.RETURNS: frozenset({P, D}),
    },
    Role.FULFILLMENT: {
        Purpose.DISPATCH: frozenset({P, D}),
        Purpose.RETURNS: frozenset({P, D}),
    },
    Role.FINANCE: {
        Purpose.PAYMENT: frozenset({P, F}),
        Purpose.RETURNS: frozenset({P, F}),
        Purpose.LEGAL: frozenset({P, F}),
    },
    Role.FRAUD: {Purpose.FRAUD: frozenset({A, P, F, D})},
    Role.PRIVACY_OFFICER: {
        Purpose.RIGHTS: frozenset({A, P, D, F, I}),
        Purpose.IDENTITY: frozenset({A, I}),
    },
    Role.SECURITY: {Purpose.SECURITY: frozenset({A, I})},
    Role.AUDITOR: {},
    Role.SELLER: {},
    Role.ADMINISTRATOR: {},
    Role.JOB: {purpose: rule.categories for purpose, rule in PURPOSES.items()},
}


def categories_open_to(role: Role, purpose: Purpose) -> frozenset[Category]:
    """The categories that ``role`` may open for ``purpose``; never more than the purpose itself allows."""
    return MATRIX.get(role, {}).get(purpose, frozenset()) & PURPOSES[purpose].categories


def purposes_open_to(role: Role) -> list[Purpose]:
    """The purposes for which ``role`` may open anything, in their published order."""
    return [purpose for purpose in Purpose if categories_open_to(role, purpose)]
