"""The one matrix: which role opens which categories for which purpose, or sees masks, or not even these (PROTECT-3, USE-1).

The customer's row holds for their own data alone, the rows of staff for the person of a case that is theirs, as long as
it is open. The administrator opens nothing: running the system needs no personal value. Nor does the seller yet: a
seller opens one open parcel's fields, and nothing ties a seller to a parcel so far.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

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
        Purpose.SECURITY: frozenset({I}),  # the reasons that staff gave
    },
    Role.SECURITY: {Purpose.SECURITY: frozenset({A, I})},
    Role.AUDITOR: {},
    Role.SELLER: {},
    Role.ADMINISTRATOR: {},
    Role.JOB: {purpose: rule.categories for purpose, rule in PURPOSES.items()},
}

# What a role sees as masks on its pages, whatever the purpose. Of the rest it sees nothing at all.
MASKED: Mapping[Role, frozenset[Category]] = {
    Role.CUSTOMER: frozenset(Category),
    Role.SUPPORT: frozenset({A, P, D, I}),
    Role.FULFILLMENT: frozenset({P, D}),
    Role.FINANCE: frozenset({P, F}),
    Role.FRAUD: frozenset({A, P, D, F}),
    Role.PRIVACY_OFFICER: frozenset(Category),
    Role.SECURITY: frozenset({A, I}),
    Role.AUDITOR: frozenset({A, I}),
    Role.ADMINISTRATOR: frozenset({A, I}),
    Role.SELLER: frozenset(),
    Role.JOB: frozenset(Category),
}

# Who may open without a case in an emergency, for the purposes of their own row: the privacy officer is told at once,
# every such opening is reviewed, and the person hears of it.
BREAKS_GLASS = frozenset({Role.FRAUD, Role.PRIVACY_OFFICER, Role.SECURITY})


class Answer(TextChoices):
    """What the matrix says to a role, a purpose and a category."""

    OPEN = "open", _("open")
    MASKED = "masked", _("masked")
    DENIED = "denied", _("denied")


def answer_to(role: Role, purpose: Purpose, category: Category) -> Answer:
    """DENIED for a purpose that does not need the category: nobody sees or opens it for that."""
    if category in categories_open_to(role, purpose):
        return Answer.OPEN
    is_masked = category in PURPOSES[purpose].categories & masked_for(role)
    return Answer.MASKED if is_masked else Answer.DENIED


def masked_for(role: Role) -> frozenset[Category]:
    """The categories of which this role sees masks; of the others not even these."""
    return MASKED.get(role, frozenset())


def categories_open_to(role: Role, purpose: Purpose) -> frozenset[Category]:
    """The categories that ``role`` may open for ``purpose``; never more than the purpose itself allows."""
    return MATRIX.get(role, {}).get(purpose, frozenset()) & PURPOSES[purpose].categories


def purposes_open_to(role: Role) -> list[Purpose]:
    """The purposes for which ``role`` may open anything, in their published order."""
    return [purpose for purpose in Purpose if categories_open_to(role, purpose)]
