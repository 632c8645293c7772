"""Which policy holds now, and its words (CHANGE-2, CHANGE-5)."""

from __future__ import annotations

from django.utils import timezone

from privacy.declarations.purposes import Purpose
from privacy.policy.errors import NoPolicyInForce
from privacy.policy.models import PolicyText, PolicyVersion

FALLBACK_LOCALE = "en"


def policy_in_force() -> PolicyVersion:
    """The newest version whose time has come. Raises NoPolicyInForce."""
    version = PolicyVersion.objects.filter(effective_at__lte=timezone.now()).order_by("-number").first()
    if version is None:
        raise NoPolicyInForce
    return version


def purposes_in_force() -> frozenset[Purpose]:
    return frozenset(Purpose(purpose) for purpose in policy_in_force().purposes)


def published_versions() -> list[PolicyVersion]:
    """All announced versions, newest first."""
    return list(PolicyVersion.objects.filter(announced_at__lte=timezone.now()))


def text_of(version: PolicyVersion, locale: str) -> PolicyText:
    """The words in this language, or in English where the version has none."""
    texts = {text.locale: text for text in version.texts.all()}
    return texts.get(locale) or texts.get(locale.split("-")[0]) or texts[FALLBACK_LOCALE]
