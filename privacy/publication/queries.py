"""What a draft still lacks, what it would change, and who would be told (CHANGE-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from privacy.policy.models import PolicyText, PolicyVersion
from privacy.policy.queries import FALLBACK_LOCALE
from privacy.publication.models import PolicyDraft

Audience = Callable[[], QuerySet[Any, tuple[Any, str]]]

_audiences: list[Audience] = []


def register_audience(people: Audience) -> None:
    """``people()`` gives rows of (subject id, language) of those whom a change of the policy concerns, with a mailbox."""
    if people not in _audiences:
        _audiences.append(people)


def audiences() -> list[QuerySet[Any, tuple[Any, str]]]:
    return [people() for people in _audiences]


def number_concerned() -> int:
    """How many people an announcement is mailed to now."""
    return sum(people.count() for people in audiences())


def words_of(text: PolicyText) -> dict[str, Any]:
    """The words in the form that ``publish_policy`` takes."""
    return {"title": text.title, "summary": text.summary, "sections": text.sections}


def words_to_edit(draft: PolicyDraft, locale: str) -> dict[str, Any]:
    """The draft's words in this language; where there are none yet, its parts with empty words."""
    if locale in draft.texts:
        return draft.texts[locale]
    parts = draft.texts[FALLBACK_LOCALE]["sections"]
    return {"title": "", "summary": [], "sections": [{**part, "heading": "", "paragraphs": []} for part in parts]}


def missing_words(draft: PolicyDraft, locale: str) -> list[str]:
    """What this language lacks, in words for staff; empty when it is complete."""
    words = words_to_edit(draft, locale)
    missing = [] if words["title"] else [_("the title")]
    missing += [] if words["summary"] else [_("the summary")]
    titles = {part["id"]: part["heading"] for part in draft.texts[FALLBACK_LOCALE]["sections"]}
    for part in words["sections"]:
        if not part["heading"] or not part["paragraphs"]:
            missing.append(titles.get(part["id"]) or part["id"])
    return missing


def is_complete(draft: PolicyDraft) -> bool:
    """Whether every language of the site has all its words, and some use is allowed."""
    return bool(draft.purposes) and not any(missing_words(draft, locale) for locale, _name in settings.LANGUAGES)


def differs_from_version(draft: PolicyDraft, version: PolicyVersion) -> bool:
    texts = {text.locale: words_of(text) for text in version.texts.all()}
    return draft.texts != texts or set(draft.purposes) != set(version.purposes)
