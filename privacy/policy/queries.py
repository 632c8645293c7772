"""Which policy holds now, what holds next, and their words (CHANGE-1, CHANGE-2, CHANGE-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, TextChoices, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.purposes import Purpose
from privacy.policy.errors import NoPolicyInForce
from privacy.policy.models import PolicyText, PolicyVersion

FALLBACK_LOCALE = "en"


def versions_in_force() -> QuerySet[PolicyVersion]:
    """Every version whose time has come, newest first; the clock alone decides, nobody switches it on."""
    return PolicyVersion.objects.filter(effective_at__lte=timezone.now(), withdrawal=None).order_by("-number")


def policy_in_force() -> PolicyVersion:
    """The newest version whose time has come. Raises NoPolicyInForce."""
    version = versions_in_force().first()
    if version is None:
        raise NoPolicyInForce
    return version


def purposes_in_force() -> frozenset[Purpose]:
    return frozenset(Purpose(purpose) for purpose in policy_in_force().purposes)


def version_to_come() -> PolicyVersion | None:
    """The announced version that takes effect next."""
    return PolicyVersion.objects.filter(effective_at__gt=timezone.now(), withdrawal=None).order_by("effective_at").first()


def newest_version_without(purpose: str | OuterRef) -> Coalesce:
    """The number of the newest version that came into force without this purpose, 0 where none did.

    Permissions given for that version or an earlier one do not cover the purpose when a later version has it (again).
    """
    lacking = versions_in_force().exclude(purposes__contains=[purpose]).values("number")[:1]
    return Coalesce(Subquery(lacking), Value(0), output_field=IntegerField())


def published_versions() -> list[PolicyVersion]:
    """All announced versions, newest first; those that were withdrawn among them."""
    return list(PolicyVersion.objects.filter(announced_at__lte=timezone.now()).select_related("withdrawal"))


class Standing(TextChoices):
    """How a published version stands now."""

    IN_FORCE = "in_force", _("In force")
    TO_COME = "to_come", _("Announced, not in force yet")
    REPLACED = "replaced", _("No longer in force")
    WITHDRAWN = "withdrawn", _("Withdrawn before it took effect")


@dataclass(frozen=True)
class Chapter:
    """One published version in the history of the policy; ``until`` is when another replaces or replaced it."""

    version: PolicyVersion
    standing: Standing
    until: datetime | None


def history() -> list[Chapter]:
    """Every published version with its standing, newest first, in one query."""
    chapters: list[Chapter] = []
    replaced_at: datetime | None = None
    for version in published_versions():
        withdrawal = getattr(version, "withdrawal", None)
        if withdrawal is not None:
            chapters.append(Chapter(version, Standing.WITHDRAWN, None))
            continue
        chapters.append(Chapter(version, _standing(version, replaced_at), replaced_at))
        replaced_at = min(version.effective_at, replaced_at or version.effective_at)
    return chapters


def _standing(version: PolicyVersion, replaced_at: datetime | None) -> Standing:
    now = timezone.now()
    if replaced_at is not None and replaced_at <= now:
        return Standing.REPLACED
    return Standing.IN_FORCE if version.effective_at <= now else Standing.TO_COME


def text_of(version: PolicyVersion, locale: str) -> PolicyText:
    """The words in this language, or in English where the version has none."""
    texts = {text.locale: text for text in version.texts.all()}
    return texts.get(locale) or texts.get(locale.split("-")[0]) or texts[FALLBACK_LOCALE]


def texts_to_compare(old: PolicyVersion, new: PolicyVersion, locale: str) -> tuple[PolicyText, PolicyText]:
    """The words of two versions in one and the same language: this one where both have it, or English."""
    ours = text_of(old, locale), text_of(new, locale)
    return ours if ours[0].locale == ours[1].locale else (text_of(old, FALLBACK_LOCALE), text_of(new, FALLBACK_LOCALE))
