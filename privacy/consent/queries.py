"""What the ledger says now (COLLECT-3, RIGHTS-4, CHANGE-2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet

from privacy.consent.models import ConsentEntry
from privacy.declarations.purposes import PURPOSES, Ground, Purpose, PurposeRule
from privacy.policy.queries import newest_version_without, purposes_in_force

GIVEN = ConsentEntry.Decision.GIVEN


def decisions() -> QuerySet[ConsentEntry]:
    """The ledger, with ``holds`` on each entry: a yes, and given since the policy (again) has the purpose.

    A yes under an older version does not cover a purpose that the policy did not have in between.
    """
    since = Q(decision=GIVEN, statement__policy__number__gt=newest_version_without(OuterRef("purpose")))
    return ConsentEntry.objects.annotate(holds=since)


def subjects_consenting(purpose: Purpose, subject_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these people whose last decision on this purpose is a yes that holds, in one query."""
    last = (
        decisions()
        .filter(subject_id__in=list(subject_ids), purpose=purpose)
        .order_by("subject_id", "-id")
        .distinct("subject_id")
        .values_list("subject_id", "holds")  # type: ignore[misc]
    )
    return {subject_id for subject_id, holds in last if holds}


def has_consent(subject_id: UUID, purpose: Purpose) -> bool:
    return subject_id in subjects_consenting(purpose, [subject_id])


@dataclass(frozen=True)
class Permission:
    """One purpose that rests on consent, and how this person decided last (``entry`` None: never asked)."""

    purpose: Purpose
    rule: PurposeRule
    entry: ConsentEntry | None

    @property
    def is_given(self) -> bool:
        return self.entry is not None and self.entry.holds  # type: ignore[attr-defined]


def permissions_of(subject_id: UUID) -> list[Permission]:
    """Every purpose that rests on consent with the person's last decision, in published order; one query."""
    last = {
        entry.purpose: entry
        for entry in decisions()
        .filter(subject_id=subject_id)
        .order_by("purpose", "-id")
        .distinct("purpose")
        .select_related("statement__policy")
    }
    return [Permission(purpose, rule, last.get(purpose)) for purpose, rule in PURPOSES.items() if rule.ground == Ground.CONSENT]


def permissions_in_force(subject_id: UUID) -> list[Permission]:
    """Those for which the policy in force asks."""
    in_force = purposes_in_force()
    return [permission for permission in permissions_of(subject_id) if permission.purpose in in_force]


def missing_purposes(subject_id: UUID, purposes: Iterable[Purpose]) -> list[Purpose]:
    """Those of ``purposes`` that the person has not (or no longer) agreed to, in the order given."""
    given = {permission.purpose for permission in permissions_of(subject_id) if permission.is_given}
    return [purpose for purpose in purposes if purpose not in given]


def history_of(subject_id: UUID, purpose: Purpose | None = None) -> QuerySet[ConsentEntry]:
    """All decisions (on one purpose), newest first, each with the words that were shown."""
    entries = ConsentEntry.objects.filter(subject_id=subject_id, **({"purpose": purpose} if purpose else {}))
    return entries.select_related("statement__policy").order_by("-id")


def language_of(subject_id: UUID) -> str:
    """The language in which the person decided last; empty for somebody who was never asked anything."""
    last = ConsentEntry.objects.filter(subject_id=subject_id).order_by("-id")
    return last.values_list("statement__locale", flat=True).first() or ""
