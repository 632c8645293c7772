"""Publish a policy version (CHANGE-1)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from privacy.declarations.purposes import Purpose
from privacy.policy.errors import NoticeTooShort
from privacy.policy.models import NOTICE_PERIOD, PolicyText, PolicyVersion
from privacy.policy.roles import Actor


@transaction.atomic
def publish_policy(
    *,
    by: Actor,
    number: int,
    texts: dict[str, dict[str, Any]],
    purposes: list[Purpose],
    effective_at: datetime | None = None,
) -> PolicyVersion:
    """Announce a version now; it takes effect at ``effective_at``.

    ``texts`` maps a locale to ``{"title", "summary": [text], "sections": [...]}`` as in PolicyText.
    Raises NoticeTooShort when ``effective_at`` lies inside the notice period (the first version has none).
    """
    now = timezone.now()
    effective_at = effective_at or now
    if number > 1 and effective_at < now + NOTICE_PERIOD:
        raise NoticeTooShort
    version = PolicyVersion.objects.create(
        number=number,
        purposes=[purpose.value for purpose in purposes],
        announced_at=now,
        effective_at=effective_at,
    )
    for locale, words in texts.items():
        PolicyText.objects.create(
            version=version,
            locale=locale,
            title=words["title"],
            summary=words["summary"],
            sections=words["sections"],
            sha256=hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest(),
        )
    record(Event.POLICY_PUBLISHED, by=by, object=version)
    return version
