"""Write, announce and withdraw a version of the policy (CHANGE-1, CHANGE-2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from privacy.declarations.purposes import Purpose
from privacy.policy import actions as policy_actions
from privacy.policy.actions import fingerprint, publish_policy
from privacy.policy.errors import ChangedMeanwhile, RoleMayNot
from privacy.policy.models import PolicyVersion, PolicyWithdrawal
from privacy.policy.queries import policy_in_force, version_to_come
from privacy.policy.roles import Actor, Role
from privacy.publication.errors import AnnouncementPending, DraftEnded, DraftIncomplete, DraftOpen, NothingChanged
from privacy.publication.models import PolicyDraft, PolicyNotice
from privacy.publication.queries import differs_from_version, is_complete, words_of

PREPARES = frozenset({Role.ADMINISTRATOR, Role.PRIVACY_OFFICER})
ANNOUNCES = frozenset({Role.PRIVACY_OFFICER})


@transaction.atomic
def start_draft(*, by: Actor) -> PolicyDraft:
    """Begin the next version as a copy of the one in force. Raises RoleMayNot, DraftOpen."""
    writer = _refuse_others(by, PREPARES)
    version = policy_in_force()
    texts = {text.locale: words_of(text) for text in version.texts.all()}
    try:
        with transaction.atomic():
            draft = PolicyDraft.objects.create(
                based_on=version, purposes=version.purposes, texts=texts, started_by=writer, changed_by=writer
            )
    except IntegrityError:
        raise DraftOpen from None
    record(Event.POLICY_DRAFT_STARTED, by=by, object=draft)
    return draft


@transaction.atomic
def change_words(*, by: Actor, draft: PolicyDraft, locale: str, words: dict[str, Any], seen: str) -> PolicyDraft:
    """Replace the words of one language.

    ``seen`` is the fingerprint of the words that were on the writer's screen. Raises RoleMayNot, DraftEnded, and
    ChangedMeanwhile when somebody else has changed that language since.
    """
    locked = _open_draft(by, draft)
    if fingerprint(locked.texts.get(locale)) != seen:
        raise ChangedMeanwhile
    locked.texts[locale] = words
    return _save(by, locked, "texts", locale)


@transaction.atomic
def choose_purposes(*, by: Actor, draft: PolicyDraft, purposes: Iterable[Purpose], seen: str) -> PolicyDraft:
    """Replace the purposes that the version would allow; ``seen`` and the errors are as in ``change_words``."""
    locked = _open_draft(by, draft)
    if fingerprint(locked.purposes) != seen:
        raise ChangedMeanwhile
    chosen = set(purposes)
    locked.purposes = [purpose.value for purpose in Purpose if purpose in chosen]
    return _save(by, locked, "purposes", "purposes")


@transaction.atomic
def discard_draft(*, by: Actor, draft: PolicyDraft) -> None:
    """End the draft without announcing it. Raises RoleMayNot, DraftEnded."""
    locked = _open_draft(by, draft)
    locked.discarded_at, locked.discarded_by = timezone.now(), by.id
    locked.save(update_fields=["discarded_at", "discarded_by"])
    record(Event.POLICY_DRAFT_DISCARDED, by=by, object=locked)


@transaction.atomic
def announce_draft(*, by: Actor, draft: PolicyDraft, effective_at: datetime, seen: str) -> PolicyVersion:
    """Publish the draft as the next version, in force from ``effective_at``, and tell everybody concerned by mail.

    ``seen`` is the fingerprint of the whole draft as it was previewed. Raises RoleMayNot for everybody but the
    privacy officer, DraftEnded, ChangedMeanwhile, DraftIncomplete, NothingChanged, AnnouncementPending, and
    NoticeTooShort inside the notice period.
    """
    _refuse_others(by, ANNOUNCES)
    locked = _open_draft(by, draft)
    if whole_fingerprint(locked) != seen:
        raise ChangedMeanwhile
    if not is_complete(locked):
        raise DraftIncomplete
    if not differs_from_version(locked, policy_in_force()):
        raise NothingChanged
    if version_to_come() is not None:
        raise AnnouncementPending
    newest = PolicyVersion.objects.order_by("-number").values_list("number", flat=True)[0]
    version = publish_policy(
        by=by,
        number=newest + 1,
        texts=locked.texts,
        purposes=[Purpose(purpose) for purpose in locked.purposes],
        effective_at=effective_at,
    )
    locked.announced_as = version
    locked.save(update_fields=["announced_as"])
    PolicyNotice(version=version, kind=PolicyNotice.Kind.ANNOUNCED).enqueue()
    return version


@transaction.atomic
def withdraw_announcement(*, by: Actor, version: PolicyVersion) -> PolicyWithdrawal:
    """Take back an announcement before it takes effect, and tell everybody who was told of it. Errors as below."""
    withdrawal = policy_actions.withdraw_announcement(by=by, version=version)
    if version.notices.exists():
        PolicyNotice(version=version, kind=PolicyNotice.Kind.WITHDRAWN).enqueue()
    return withdrawal


def whole_fingerprint(draft: PolicyDraft) -> str:
    """Stands for everything that an announcement of the draft would publish."""
    return fingerprint([draft.texts, draft.purposes])


def _refuse_others(by: Actor, allowed: frozenset[Role]) -> UUID:
    """The member of staff who acts."""
    if by.role not in allowed or by.id is None:
        raise RoleMayNot
    return by.id


def _open_draft(by: Actor, draft: PolicyDraft) -> PolicyDraft:
    """The draft as it stands now, locked, so that of two writers the second sees what the first did."""
    _refuse_others(by, PREPARES)
    locked = PolicyDraft.objects.select_for_update().get(pk=draft.pk)
    if not locked.is_open:
        raise DraftEnded
    return locked


def _save(by: Actor, draft: PolicyDraft, column: str, what: str) -> PolicyDraft:
    draft.changed_at, draft.changed_by = timezone.now(), _refuse_others(by, PREPARES)
    draft.save(update_fields=[column, "changed_at", "changed_by"])
    record(Event.POLICY_DRAFT_CHANGED, by=by, object=draft, fields=[what])
    return draft
