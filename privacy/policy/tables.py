"""The tables of the policy and of the role matrix, made from what the program obeys (COLLECT-4, CHANGE-3, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.utils.functional import Promise as LazyText
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime
from privacy.declarations.purposes import PURPOSES, Purpose, PurposeRule
from privacy.declarations.registry import personal_models
from privacy.policy.matrix import Answer, answer_to
from privacy.policy.roles import Role
from privacy.vault.fields import sealed_fields

RECEIVERS: dict[str, LazyText] = {
    "payment": _("our payment provider"),
    "seller": _("the seller of the parcel"),
    "carrier": _("the carrier of the parcel"),
    "holder": _("those who already hold the data, so that they correct or delete it"),
    "authority": _("an authority that the law allows to demand it"),
}


@dataclass(frozen=True)
class PurposeRow:
    """One use: what for, why it is allowed, what it touches, who may get it without being asked about again."""

    purpose: Purpose
    rule: PurposeRule

    @property
    def categories(self) -> list[str]:
        return [str(category.label) for category in Category if category in self.rule.categories]

    @property
    def receivers(self) -> list[str]:
        return [str(words) for kind, words in RECEIVERS.items() if kind in self.rule.freely_to]


@dataclass(frozen=True)
class KeepRow:
    """One kind of record: which kinds of data it holds, and what its end is."""

    title: str
    categories: list[str]
    until: str
    citation: str
    explanation: str


@dataclass(frozen=True)
class MatrixRow:
    """One kind of data that a use needs, and what each role is answered, in the order of ``Role``."""

    category: Category
    answers: list[tuple[Role, Answer]]


def matrix_rows() -> list[tuple[Purpose, list[MatrixRow]]]:
    """The matrix that the gate obeys, all of it: by use, in published order, the kinds of data that it needs."""
    return [
        (purpose, [_matrix_row(purpose, category) for category in Category if category in PURPOSES[purpose].categories])
        for purpose in Purpose
    ]


def _matrix_row(purpose: Purpose, category: Category) -> MatrixRow:
    return MatrixRow(category, [(role, answer_to(role, purpose, category)) for role in Role])


def purpose_rows(purposes: Iterable[str]) -> list[PurposeRow]:
    """The uses that a version allows, in published order."""
    allowed = set(purposes)
    return [PurposeRow(purpose, PURPOSES[purpose]) for purpose in Purpose if purpose.value in allowed]


def keep_rows() -> list[KeepRow]:
    """Every kind of personal record that this program stores, by the name that people read, and last the log."""
    return [*sorted((_keep_row(model) for model in personal_models()), key=lambda row: row.title), _log_row()]


def _log_row() -> KeepRow:
    years = settings.AUDIT_KEPT_YEARS
    return KeepRow(
        title=gettext("Log of what was done with your data"),
        categories=[],
        until=ngettext("%d year after the month in which it was written", "%d years after the month in which it was written", years)
        % years,
        citation="",
        explanation=gettext(
            "It outlives everything it tells of, so that you can ask who used your data for as long as we had it. "
            "It holds random numbers in place of names, which lead to nobody once your data is deleted."
        ),
    )


def _keep_row(model: type[models.Model]) -> KeepRow:
    lifetime: Lifetime = model.lifetime  # type: ignore[attr-defined]
    held = {field.category for field in sealed_fields(model)}
    return KeepRow(
        title=capfirst(str(model._meta.verbose_name_plural)),
        categories=[str(category.label) for category in Category if category in held],
        until=capfirst(str(lifetime.until)) or kept_for(lifetime),
        citation=lifetime.floor.citation if lifetime.floor else "",
        explanation=str(lifetime.floor.explanation) if lifetime.floor else "",
    )


def kept_for(lifetime: Lifetime) -> str:
    """For records that simply live for a time."""
    span = lifetime.lasts
    parts = [
        ngettext("%d year", "%d years", span.years) % span.years if span.years else "",
        ngettext("%d month", "%d months", span.months) % span.months if span.months else "",
        ngettext("%d day", "%d days", span.days) % span.days if span.days else "",
    ]
    length = ", ".join(part for part in parts if part)
    return gettext("%(length)s after you gave it") % {"length": length} if length else gettext("As soon as it is not needed")
