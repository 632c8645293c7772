"""What follows when somebody opens data without a case in an emergency: an alert at once, and a notice to the person (PROTECT-3, USE-3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from privacy.access.errors import NoticeGiven, NoticeWithheld, RoleDenied
from privacy.access.models import Opening
from privacy.access.silences.queries import withheld_until
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import AlertKind
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role

LEAST_WORDS = 20
LONGEST_SILENCE = timedelta(days=30)
INVESTIGATIONS = frozenset({Purpose.FRAUD, Purpose.SECURITY})
RELEASERS = frozenset({Role.PRIVACY_OFFICER})

GiveNotice = Callable[[Opening], None]

_notices: list[GiveNotice] = []


def register_notice(give: GiveNotice) -> None:
    """``give(opening)`` queues the news for the person; called once for each such opening."""
    if give not in _notices:
        _notices.append(give)


def notice_due_at(*, is_silent: bool) -> datetime:
    """When the person is told of what is opened now."""
    return timezone.now() + LONGEST_SILENCE if is_silent else timezone.now()


def follow_up(opening: Opening) -> None:
    """Tell the office at once, and the person too unless an investigation still needs silence."""
    about = Reference.to(opening)
    raise_alert(kind=AlertKind.BREAK_GLASS, about=about, subject_id=opening.subject_id, actor_id=opening.actor_id, role=opening.role)
    if opening.notice_due_at is not None and opening.notice_due_at <= timezone.now():
        _give_notice(opening)


def give_due_notices() -> int:
    """Send every notice whose time of silence is over; returns how many. Idempotent."""
    due = Opening.objects.filter(notice_due_at__lte=timezone.now(), noticed_at=None).order_by("notice_due_at")[:1000]
    return sum(_give_due(opening) for opening in due)


@transaction.atomic
def release_notice(*, by: Actor, opening: Opening) -> None:
    """Tell the person before the time.

    Raises RoleDenied, NoticeGiven when there is nothing to tell any more, and NoticeWithheld while two people keep the
    entry itself from the person: a mail never tells what the page does not, and the end of that sends it.
    """
    if by.role not in RELEASERS:
        raise RoleDenied
    locked = Opening.objects.select_for_update().get(pk=opening.pk)
    if locked.notice_due_at is None or locked.noticed_at is not None:
        raise NoticeGiven
    if until := withheld_until(locked):
        raise NoticeWithheld(until)
    locked.notice_due_at = timezone.now()
    locked.save(update_fields=["notice_due_at"])
    _give_notice(locked)
    record(Event.NOTICE_RELEASED, by=by, subject=locked.subject_id, object=locked)


@transaction.atomic
def _give_due(opening: Opening) -> bool:
    locked = Opening.objects.select_for_update(skip_locked=True).filter(pk=opening.pk, noticed_at=None).first()
    if locked is not None:
        _give_notice(locked)
    return locked is not None


def _give_notice(opening: Opening) -> None:
    opening.noticed_at = timezone.now()
    opening.save(update_fields=["noticed_at"])
    for give in _notices:
        give(opening)
