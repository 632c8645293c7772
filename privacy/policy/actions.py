"""Publish a policy version, and say who answers for it (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from privacy.declarations.purposes import Purpose
from privacy.policy.errors import AlreadyInForce, ChangedMeanwhile, NoticeTooShort, RoleMayNot
from privacy.policy.models import NOTICE_PERIOD, OperatorIdentity, PolicyText, PolicyVersion, PolicyWithdrawal
from privacy.policy.operator import operator
from privacy.policy.roles import Actor, Role

KEEPS_OPERATOR = frozenset({Role.ADMINISTRATOR, Role.PRIVACY_OFFICER, Role.JOB})
OPERATOR_FIELDS = tuple(
    field.name for field in OperatorIdentity._meta.concrete_fields if field.name not in {"id", "number", "changed_at", "changed_by"}
)


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
            sha256=fingerprint(words),
        )
    record(Event.POLICY_PUBLISHED, by=by, object=version)
    return version


def fingerprint(words: Any) -> str:
    """SHA-256 of words in any nesting of texts and lists, the same whatever the order of their keys."""
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@transaction.atomic
def withdraw_announcement(*, by: Actor, version: PolicyVersion) -> PolicyWithdrawal:
    """Take back an announced version before it takes effect; it never will.

    Raises RoleMayNot for everybody but the privacy officer, AlreadyInForce when it is too late or done before.
    """
    if by.role != Role.PRIVACY_OFFICER:
        raise RoleMayNot
    if version.effective_at <= timezone.now():
        raise AlreadyInForce
    try:
        with transaction.atomic():
            withdrawal = PolicyWithdrawal.objects.create(version=version, withdrawn_by=by.id)
    except IntegrityError:  # once a version: the second of two, also at the same moment, is told
        raise AlreadyInForce from None
    record(Event.POLICY_WITHDRAWN, by=by, object=version)
    return withdrawal


@transaction.atomic
def change_operator(*, by: Actor, based_on: int, values: dict[str, Any]) -> OperatorIdentity:
    """Publish a new identity of the operator: the newest one with ``values`` changed, by name of the field.

    ``based_on`` is the number of the identity that the caller saw. Raises ChangedMeanwhile when there is a newer
    one, RoleMayNot for other staff, and ValidationError naming the fields that cannot be published.
    """
    if by.role not in KEEPS_OPERATOR:
        raise RoleMayNot
    before = operator()
    if before.number != based_on:
        raise ChangedMeanwhile
    kept = {name: getattr(before, name) for name in OPERATOR_FIELDS}
    after = OperatorIdentity(number=based_on + 1, changed_by=by.id, **(kept | values))
    changed = [name for name in OPERATOR_FIELDS if getattr(after, name) != kept[name]]
    if not changed:
        return before
    after.full_clean(exclude=["changed_by"], validate_unique=False)
    try:
        with transaction.atomic():
            after.save(force_insert=True)
    except IntegrityError:  # two at once: the number is unique, and the first one has it
        raise ChangedMeanwhile from None
    record(Event.OPERATOR_CHANGED, by=by, object=after, fields=changed)
    return after
