"""A second version of the demo's policy: announced, and not in force yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from marketplace.demo.cast import staff
from marketplace.demo.chapters import Chapter, Teller
from privacy.policy.actions import fingerprint
from privacy.policy.models import NOTICE_PERIOD
from privacy.policy.roles import Role
from privacy.publication.actions import announce_draft, change_words, start_draft, whole_fingerprint
from privacy.publication.queries import is_complete

NEW = {
    "en": "New in this version: people without an account can write to us about their data as well.",
    "de": "Neu in dieser Fassung: Auch wer kein Konto hat, kann uns wegen seiner Daten schreiben.",
    "ar": "الجديد في هذا الإصدار: يمكن لمن ليس لديه حساب أن يكتب إلينا أيضًا بشأن بياناته.",
}


def announcements(now: datetime) -> Iterator[Chapter]:
    yield Chapter("news.policy-2", now - timedelta(days=8), _announce_second_policy)


def _announce_second_policy(teller: Teller) -> None:
    officer = staff(Role.PRIVACY_OFFICER)
    draft = start_draft(by=officer)
    for locale, words in dict(draft.texts).items():
        changed = {**words, "summary": [*words["summary"], NEW.get(locale, NEW["en"])]}
        draft = change_words(by=officer, draft=draft, locale=locale, words=changed, seen=fingerprint(words))
    if not is_complete(draft):
        return  # it waits for its translations, as a draft does
    teller.later(hours=2)
    effective_at = timezone.now() + NOTICE_PERIOD + timedelta(days=2)
    announce_draft(by=officer, draft=draft, effective_at=effective_at, seen=whole_fingerprint(draft))
