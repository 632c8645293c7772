"""Drafts that are ready to be announced, and who prepares and announces them."""

from collections.abc import Callable
from typing import Any

import pytest

from privacy.access.gate import unit_of_work
from privacy.policy.actions import fingerprint
from privacy.policy.roles import Actor, Role
from privacy.publication.actions import change_words, start_draft
from privacy.publication.models import PolicyDraft
from privacy.publication.queries import words_to_edit
from privacy.vault.models import Subject
from tests.privacy.policy.conftest import nothing_published  # noqa: F401


def staff(role: Role) -> Actor:
    return Actor(role, Subject.objects.create(kind=Subject.Kind.STAFF).pk)


@pytest.fixture
def administrator(db: None) -> Actor:
    return staff(Role.ADMINISTRATOR)


@pytest.fixture
def officer(db: None) -> Actor:
    return staff(Role.PRIVACY_OFFICER)


@pytest.fixture
def draft(administrator: Actor) -> PolicyDraft:
    with unit_of_work():
        return start_draft(by=administrator)


@pytest.fixture
def write(administrator: Actor) -> Callable[..., PolicyDraft]:
    """``write(draft, "en", title="…")`` changes words of one language as somebody who saw the newest ones."""

    def change(draft: PolicyDraft, locale: str, **words: Any) -> PolicyDraft:
        draft.refresh_from_db()
        seen = fingerprint(draft.texts.get(locale))
        with unit_of_work():
            return change_words(by=administrator, draft=draft, locale=locale, words={**words_to_edit(draft, locale), **words}, seen=seen)

    return change


@pytest.fixture
def ready(draft: PolicyDraft, write: Callable[..., PolicyDraft]) -> PolicyDraft:
    """A draft with another title in every language."""
    sections = words_to_edit(draft, "en")["sections"]
    write(draft, "de", title="Neue Fassung")
    write(draft, "ar", title="نسخة جديدة", summary=["قصيرة."], sections=sections)
    return write(draft, "en", title="A new version")
